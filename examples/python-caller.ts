/**
 * A service that Python calls by a plain REQ (`python_caller.py`), while this process calls it with types.
 *
 *   client here (Dealer)  ──┐
 *   Python (REQ, JSON)    ──┴──> service (Router)
 *
 * $PYTHON names the interpreter to use.
 */
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { connect, serve } from "peerlane/service"

const python = process.env.PYTHON ?? (existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3")
const script = fileURLToPath(new URL("../../examples/python_caller.py", import.meta.url))

if (spawnSync(python, ["-c", "import zmq"]).status !== 0) {
  console.log(`skipped: ${python} cannot import zmq (install pyzmq, or name another interpreter in $PYTHON)`)
  process.exit(0)
}

const math = {
  add: ({ a, b }: { a: number; b: number }) => a + b,
  divide({ a, b }: { a: number; b: number }) {
    if (b === 0) throw Object.assign(new Error("nothing can be divided by 0"), { code: "EZERO" })
    return a / b
  },
}

await using server = await serve(math, { bind: "tcp://127.0.0.1:*" })
await using api = connect<typeof math>({ to: server.lastEndpoint! })
console.log("this process divides:", await api.divide({ a: 7, b: 2 }))

const caller = spawn(python, [script, server.lastEndpoint!], { stdio: "inherit" })
const [code] = await once(caller, "close")
console.log(
  `Python ended with code ${code}, and the service was called ${server.stats().methods.add?.calls} time by it to add`,
)

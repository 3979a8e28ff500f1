/**
 * Methods in Python (`python_replier.py`, a plain REP), called from here with types.
 *
 *   client here (plain) ──> Python (REP, JSON)
 *
 * A REP is asked one question at a time: the calls wait here. $PYTHON names the interpreter to use.
 */
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { connect, type RemoteError, type ServiceError } from "peerlane/service"

const python = process.env.PYTHON ?? (existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3")
const script = fileURLToPath(new URL("../../examples/python_replier.py", import.meta.url))

if (spawnSync(python, ["-c", "import zmq"]).status !== 0) {
  console.log(`skipped: ${python} cannot import zmq (install pyzmq, or name another interpreter in $PYTHON)`)
  process.exit(0)
}

interface Methods {
  add(of: { a: number; b: number }): number
  divide(of: { a: number; b: number }): number
  multiply(of: { a: number; b: number }): number
}

const replier = spawn(python, [script], { stdio: ["ignore", "pipe", "inherit"] })
try {
  const [address] = await once(replier.stdout, "data")
  await using api = connect<Methods>({ to: String(address).trim(), plain: true, timeout: 5000 })

  const sums = await Promise.all(Array.from({ length: 100 }, (_, a) => api.add({ a, b: 1 })))
  console.log(`Python adds ${sums.length} times, in total ${sums.reduce((sum, one) => sum + one)}`)
  console.log("Python divides:", await api.divide({ a: 7, b: 2 }))
  await api.divide({ a: 7, b: 0 }).catch(error => {
    const { remoteName, message } = error as RemoteError
    console.log(`${remoteName}: ${message}`)
  })
  await api.multiply({ a: 7, b: 2 }).catch(error => {
    const { code, message } = error as ServiceError
    console.log(`${code}: ${message}`)
  })
} finally {
  replier.kill()
}

/**
 * Talking to Python: the other side is `python_peer.py`, on pyzmq and so on libzmq.
 *
 *   questions (REQ) <──> Python (REP)      numbers (PUB) ──> Python (SUB)
 *
 * Nothing here differs from talking to another Peerlane process. $PYTHON names the interpreter to use.
 */
import { spawn, spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Publisher, Request } from "peerlane"

const python = process.env.PYTHON ?? (existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3")
const script = fileURLToPath(new URL("../../examples/python_peer.py", import.meta.url))

if (spawnSync(python, ["-c", "import zmq"]).status !== 0) {
  console.log(`skipped: ${python} cannot import zmq (install pyzmq, or name another interpreter in $PYTHON)`)
  process.exit(0)
}

await using questions = new Request({ receiveTimeout: 10_000, linger: 0 })
await using numbers = new Publisher({ linger: 0 })
await questions.bind("tcp://127.0.0.1:*")
await numbers.bind("tcp://127.0.0.1:*")

const peer = spawn(python, [script, questions.lastEndpoint!, numbers.lastEndpoint!], { stdio: "inherit" })
const ended = new Promise<number | null>(resolve => peer.once("exit", resolve))

async function ask(...question: string[]): Promise<string> {
  await questions.send(question)
  return (await questions.receive()).join(" | ")
}

try {
  console.log(`reverse: ${await ask("reverse", "stressed", "", "drawer")}`)

  await numbers.waitForSubscribers("n", 1, { timeout: 10_000 })
  for (let n = 1; n <= 100; n++) await numbers.send(["n", String(n)])
  console.log(`sum: ${await ask("sum", "100")}`)

  console.log(`stop: ${await ask("stop")}`)
  console.log(`Python ended with code ${await ended}`)
} finally {
  peer.kill()
}

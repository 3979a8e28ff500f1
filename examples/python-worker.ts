/**
 * Jobs for Python: the worker is `python_worker.py`, which speaks patterns/pipeline/PROTOCOL.md on pyzmq.
 *
 *   jobs (Producer, in JSON) ──> Python (a consumer)
 *
 * A job that raises there is tried again, and then is a dead letter here. $PYTHON names the interpreter to use.
 */
import { spawn, spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { json } from "peerlane/codec"
import { Producer } from "peerlane/pipeline"

const python = process.env.PYTHON ?? (existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3")
const script = fileURLToPath(new URL("../../examples/python_worker.py", import.meta.url))

if (spawnSync(python, ["-c", "import zmq"]).status !== 0) {
  console.log(`skipped: ${python} cannot import zmq (install pyzmq, or name another interpreter in $PYTHON)`)
  process.exit(0)
}

await using jobs = new Producer({
  bind: "tcp://127.0.0.1:*",
  codec: json<{ numbers: number[]; divisor: number }>(),
  heartbeat: 200,
  maxAttempts: 2,
  backoff: { min: 1 },
})
jobs.on("retry", ({ attempt, reason }) => console.log(`attempt ${attempt} failed: ${reason}`))
jobs.on("dead", ({ attempts, reason }) => console.log(`a dead letter after ${attempts} attempts: ${reason}`))
await jobs.ready()

const worker = spawn(python, [script, jobs.lastEndpoint!], { stdio: "inherit" })
const ended = new Promise<number | null>(resolve => worker.once("exit", resolve))

try {
  const means: Promise<unknown>[] = []
  for (let n = 1; n <= 100; n++) {
    const { done } = await jobs.send({ numbers: [n, n + 2], divisor: 2 }, { want: true })
    means.push(done)
  }
  const total = (await Promise.all(means)).reduce<number>((sum, mean) => sum + Number(mean), 0)
  console.log(`Python worked out ${means.length} means, in total ${total}`)

  await jobs.send({ numbers: [1, 2], divisor: 0 })
  await jobs.drain({ timeout: 10_000 })
  const { done, retried, dead } = jobs.stats()
  console.log(`${done} done, ${retried} retried, ${dead} dead`)

  worker.kill()
  console.log(`Python ended with code ${await ended}`)
} finally {
  worker.kill()
}

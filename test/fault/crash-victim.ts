/**
 * The processes that crash-drill.ts kills, by the first argument: `producer` or `worker`; the second is the folder that they
 * share. What was accepted and what was handled goes to a file at once: a write that has returned survives the kill of its
 * process. Messages to the parent do not, and only say when to kill.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Consumer, Producer } from "../../patterns/pipeline/index.js"

export interface Summary {
  readonly drained: true
  readonly dead: number
  readonly left: number
}

const SENDS_AT_A_TIME = 16
const [, , role, folder = ""] = process.argv
const address = `ipc://${join(folder, "jobs.ipc")}`
const note = (file: string, line: string) => appendFileSync(join(folder, file), `${line}\n`)

process.on("disconnect", () => process.exit())
await (role === "producer" ? produce() : work())

async function work(): Promise<void> {
  const consumer = new Consumer<number>({ connect: address })
  consumer.on("welcome", () => process.send!("welcome"))
  const handle = (_: number, { id }: { id: string }) => {
    note("handled", `${id} ${process.pid} ${Date.now()}`)
    process.send!("progress")
  }
  await consumer.run(handle, { concurrency: 4 })
}

async function produce(): Promise<void> {
  const file = join(folder, "accepted")
  const accepted = new Set(existsSync(file) ? readFileSync(file, "utf8").split("\n") : [])
  process.send!("opening")
  const jobs = new Producer<number>({
    bind: address,
    store: join(folder, "queue"),
    heartbeat: 100,
    maxAttempts: 1000,
    backoff: { min: 1, max: 10 },
  })
  jobs.on("cut", ({ bytes }) => note("cuts", String(bytes)))
  await jobs.ready()

  let next = 0
  let sending = Promise.resolve()
  /** One of several that send at a time; some of theirs are in the queue, and not written down, when this process is killed. */
  async function send(wanted: number): Promise<void> {
    while (next < wanted) {
      const n = next++
      const id = `job-${n}`
      if (accepted.has(id)) continue
      const { duplicate } = await jobs.send(n, { id })
      if (duplicate) note("known", id)
      note("accepted", id)
      process.send!("progress")
    }
  }
  process.on("message", ({ wanted, isLast }: { wanted: number; isLast: boolean }) => {
    sending = sending.then(async () => {
      await Promise.all(Array.from({ length: SENDS_AT_A_TIME }, () => send(wanted)))
      if (!isLast) return
      await jobs.drain()
      const summary: Summary = { drained: true, dead: jobs.dead.size, left: jobs.stats().jobs }
      process.send!(summary)
    })
  })
  process.send!("ready")
}

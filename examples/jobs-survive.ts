/**
 * Jobs that survive `kill -9`: a producer and three workers, each a process of its own, are killed again and again while jobs
 * run, and started again at once. At the end every job that was accepted is handled.
 *
 *   main ──> producer (its queue in a folder) ──> 3 workers
 *
 * A job is accepted when `send` resolves: the producer writes its id down then. A worker writes down what it handled before
 * its handler returns, so both files are true whenever a process is killed. Where the kill comes after the work and before its
 * ack is on disk, the job is done again: that is "at least once".
 */
import { type ChildProcess, fork } from "node:child_process"
import { EventEmitter, once } from "node:events"
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Consumer, Producer } from "peerlane/pipeline"

const ROUNDS = 12 // one kill in each
const JOBS_PER_ROUND = 150
const [role = "main", folder = mkdtempSync(join(tmpdir(), "jobs-survive-"))] = process.argv.slice(2)
const address = `ipc://${join(folder, "jobs.ipc")}` // the same for each producer, unlike a free port
const acceptedFile = join(folder, "accepted")
const handledFile = join(folder, "handled")

const idsIn = (file: string): string[] => (existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [])

// Children speak to main by messages; when main is gone, so are they.
if (role !== "main") process.on("disconnect", () => process.exit())
if (role === "producer") await producer()
else if (role === "worker") await worker()
else await main()

async function worker(): Promise<void> {
  const consumer = new Consumer<number>({ connect: address })
  consumer.on("welcome", () => process.send!("welcome"))
  await consumer.run((_, { id }) => {
    appendFileSync(handledFile, `${id}\n`)
    process.send!("progress")
  })
}

async function producer(): Promise<void> {
  const jobs = new Producer<number>({
    bind: address,
    store: join(folder, "queue"),
    heartbeat: 200, // a worker that is killed is missed after three of them
    maxAttempts: 1000,
    backoff: { min: 1, max: 10 },
  })
  await jobs.ready()
  // A job may be in the queue although its line is missing here. It is sent again, and by its id the queue knows it.
  let next = idsIn(acceptedFile).length
  let sending = Promise.resolve()
  process.on("message", (wanted: number) => {
    sending = sending.then(async () => {
      for (; next < wanted; next++) {
        const { id } = await jobs.send(next, { id: `job-${next}` })
        appendFileSync(acceptedFile, `${id}\n`)
        process.send!("progress")
      }
      if (wanted < ROUNDS * JOBS_PER_ROUND) return
      await jobs.drain()
      process.send!("drained")
    })
  })
}

async function main(): Promise<void> {
  const family: ChildProcess[] = [] // the producer, and three workers
  const kills = { producer: 0, worker: 0 }
  const said = new EventEmitter()

  /** Resolves when processes of this role have said so much since now; rejects when one ends that was not killed. */
  function heard(role: keyof typeof kills, what: string, times = 1): Promise<void> {
    return new Promise((resolve, reject) => {
      const hear = () => {
        if (--times === 0) stop(resolve)
      }
      const fail = (why: Error) => stop(() => reject(why))
      const stop = (then: () => void) => {
        said.off(`${role} ${what}`, hear).off("end", fail)
        then()
      }
      said.on(`${role} ${what}`, hear).on("end", fail)
    })
  }

  function start(place: number): void {
    const role = place === 0 ? "producer" : "worker"
    const child = fork(fileURLToPath(import.meta.url), [role, folder])
    family[place] = child
    child.on("message", what => said.emit(`${role} ${what}`))
    child.on("exit", () => {
      if (!child.killed) said.emit("end", new Error(`a ${role} ended by itself`))
    })
  }

  async function end(child: ChildProcess): Promise<void> {
    const ended = once(child, "exit")
    if (child.exitCode === null && child.kill("SIGKILL")) await ended
  }

  try {
    const welcome = heard("worker", "welcome", 3)
    for (const place of [0, 1, 2, 3]) start(place)
    await welcome
    for (let round = 1; round <= ROUNDS; round++) {
      const place = round % 4
      const role = place === 0 ? "producer" : "worker"
      const underWay = heard(role, "progress", JOBS_PER_ROUND / 3)
      family[0]!.send(round * JOBS_PER_ROUND)
      await underWay
      await end(family[place]!)
      kills[role]++
      // All workers find the new producer by themselves.
      const back = heard("worker", "welcome", role === "producer" ? 3 : 1)
      start(place)
      await back
    }
    const drained = heard("producer", "drained")
    family[0]!.send(ROUNDS * JOBS_PER_ROUND)
    await drained

    const accepted = new Set(idsIn(acceptedFile))
    const lines = idsIn(handledFile)
    const handled = new Set(lines)
    const lost = [...accepted].filter(id => !handled.has(id))
    console.log(`killed by SIGKILL: the producer ${kills.producer} times, workers ${kills.worker} times`)
    console.log(`accepted ${accepted.size} jobs, handled ${handled.size}, lost ${lost.length}`)
    console.log(`handled again: ${lines.length - handled.size}`)
    if (lost.length > 0) process.exitCode = 1
  } finally {
    await Promise.all(family.map(end))
    rmSync(folder, { recursive: true, force: true })
  }
}

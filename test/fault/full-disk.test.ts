/**
 * A disk that is really full: a queue on a small tmpfs. Who may not mount one skips this; who may leaves none behind.
 * Needs `npm run build`.
 */
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { type HoldingOptions, logStore, nodeDisk, type Producer } from "peerlane/pipeline"
import { afterEach, describe, expect, it } from "vitest"
import { stage } from "../pipeline/stage.js"

const SIZE = 2 << 20
const JOB = "x".repeat(8000)

/** A disk of its own, by its path; what is said against it. */
function mounted(): { path: string; refusal: string | null } {
  const path = mkdtempSync(join(tmpdir(), "full-disk-"))
  const { status, stderr, error } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${SIZE}`, "tmpfs", path])
  const refusal = status === 0 ? null : (error?.message ?? String(stderr).trim())
  if (refusal !== null) rmdirSync(path)
  return { path, refusal }
}

function unmount(path: string): void {
  const { status, stderr } = spawnSync("umount", [path])
  if (status !== 0) throw new Error(`${path} is still mounted: ${stderr}`)
  rmdirSync(path)
}

const { path: tried, refusal } = process.platform === "linux" ? mounted() : { path: "", refusal: "not on Linux" }
if (refusal === null) unmount(tried)
else console.warn(`the tests of a full disk are not run: no tmpfs can be mounted here (${refusal})`)

/** Sends until the disk is full, sixteen at a time; says which were accepted, then why the others were not. */
const FILLER = `
import { Producer } from ${JSON.stringify(pathToFileURL("dist/patterns/pipeline/index.js").href)}
const jobs = new Producer({ bind: "tcp://127.0.0.1:*", store: process.argv[1] })
await jobs.ready()
for (let n = 0; ; n += 16) {
  const sends = Array.from({ length: 16 }, (_, at) => jobs.send(n + at + " ${JOB}"))
  for (const [at, { status, reason }] of (await Promise.allSettled(sends)).entries()) {
    console.log(n + at, status === "fulfilled" ? "accepted" : reason.code)
  }
}
`

/** Somebody else's file on the same disk. The end of a job takes some bytes before it gives any back. */
class Strange {
  private readonly file: string

  constructor(
    path: string,
    private readonly size = 64 << 10,
  ) {
    this.file = join(path, "strange")
    this.come()
  }

  /** false: there is no room for it. */
  come(): boolean {
    try {
      writeFileSync(this.file, Buffer.alloc(this.size))
      return true
    } catch {
      this.leave()
      return false
    }
  }

  leave(): void {
    rmSync(this.file)
  }
}

describe.skipIf(refusal !== null)("a queue on a full disk", () => {
  const mounts: string[] = []
  // Its own close comes first: hooks behind a test run in the opposite order of theirs here.
  afterEach(() => {
    for (const path of mounts.splice(0)) unmount(path)
  })
  const { producer, consumer } = stage("peerlane", "peerlane")

  function disk(): string {
    const { path } = mounted()
    mounts.push(path)
    return path
  }

  const inSegments = (path: string) => logStore(join(path, "queue"), nodeDisk, { segmentBytes: 64 << 10 })

  async function open(path: string, options: Partial<HoldingOptions> = {}): Promise<Producer<string>> {
    return producer<string>({ store: inSegments(path), ...options })
  }

  /** Sends until the disk is full; the names of those that were accepted. */
  async function fill(jobs: Producer<string>, prefix: string, body = JOB): Promise<string[]> {
    const accepted: string[] = []
    for (let n = 0; ; n++) {
      const name = `${prefix}${n}`
      try {
        await jobs.send(`${name} ${body}`)
        accepted.push(name)
      } catch (error) {
        expect(error).toMatchObject({ code: "ENOSPC" })
        return accepted
      }
    }
  }

  const nameOf = (job: string) => job.slice(0, job.indexOf(" "))

  it("is an error of each send, and what was accepted is there when the queue is opened again", async () => {
    const path = disk()
    const strange = new Strange(path)
    const first = await open(path)
    const accepted = await fill(first, "a")
    expect(accepted.length).toBeGreaterThan(100)
    const more = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => first.send(`b${n} ${JOB}`)))
    expect(new Set(more.map(one => one.status === "rejected" && one.reason.code))).toEqual(new Set(["ENOSPC"]))
    expect(first.stats()).toMatchObject({ jobs: accepted.length, accepted: accepted.length, waiting: 0 })
    await first.close()

    const second = await open(path)
    expect(second.stats().jobs).toBe(accepted.length)
    await expect(second.send(JOB)).rejects.toMatchObject({ code: "ENOSPC" })
    const seen: string[] = []
    void consumer(second).run(job => void seen.push(nameOf(job)))
    strange.leave()
    await second.drain()
    expect(seen.sort()).toEqual(accepted.sort())
  }, 60_000)

  it("takes jobs again when others are done, over and over", async () => {
    const path = disk()
    const strange = new Strange(path)
    const jobs = await open(path)
    const seen: string[] = []
    const worker = consumer(jobs)
    worker.pause()
    const welcome = new Promise(resolve => worker.on("welcome", resolve))
    void worker.run(job => void seen.push(nameOf(job)), { concurrency: 4 })
    await welcome
    const accepted: string[] = []
    for (let round = 0; round < 4; round++) {
      const these = await fill(jobs, `${round}-`)
      expect(these.length).toBeGreaterThan(50)
      accepted.push(...these)
      const rest = jobs.stats().jobs / 4
      strange.leave()
      worker.resume()
      await expect.poll(() => jobs.stats().jobs, { timeout: 10_000 }).toBeLessThan(rest)
      worker.pause()
      // The log gives up segments a little later.
      await expect.poll(() => strange.come(), { timeout: 10_000 }).toBe(true)
    }
    await jobs.send(`last ${JOB}`)
    worker.resume()
    await jobs.drain()
    expect(seen.sort()).toEqual([...accepted, "last"].sort())
  }, 60_000)

  it("keeps what a process had accepted that was killed there, and nothing that it was refused", async () => {
    const path = disk()
    const child = spawn(process.execPath, ["--input-type=module", "-e", FILLER, join(path, "queue")])
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text
    })
    await expect.poll(() => output.match(/ENOSPC/g)?.length ?? 0, { timeout: 20_000 }).toBeGreaterThan(100)
    child.kill("SIGKILL")
    await once(child, "close")
    const told = (what: string) => [...output.matchAll(new RegExp(`^(\\d+) ${what}$`, "gm"))].map(([, name]) => name!)

    const jobs = await producer<string>({ store: join(path, "queue") })
    const seen = new Set<string>()
    void consumer(jobs).run(job => void seen.add(nameOf(job)))
    await jobs.drain()
    expect(told("accepted").filter(name => !seen.has(name))).toEqual([])
    expect(told("ENOSPC").filter(name => seen.has(name))).toEqual([])
    expect(told("accepted").length).toBeGreaterThan(100)
  }, 60_000)

  it("is told when it cannot keep the end of a job, and keeps it when there is room", async () => {
    const path = disk()
    const strange = new Strange(path, SIZE / 2)
    const jobs = await producer<string>({ store: join(path, "queue") })
    const id = "long".repeat(100)
    await jobs.send(`first ${JOB}`, { id })
    rmSync(join(path, "queue", "reserve")) // As if it had been used up.
    await fill(jobs, "big")
    await fill(jobs, "small", "") // Now there is no room for the id of a job that is gone.
    const full = new Promise<{ error: unknown }>(resolve => jobs.on("storeError", resolve))
    const seen: string[] = []
    void consumer(jobs, { prefetch: 1 }).run(job => void seen.push(nameOf(job)))
    expect(await full).toMatchObject({ error: { code: "ENOSPC" } })
    expect(jobs.stats().done).toBe(0)
    strange.leave()
    await jobs.send(`after ${JOB}`)
    await jobs.drain()
    expect(seen[0]).toBe("first")
    expect(new Set(seen).size).toBe(seen.length)
    expect(await jobs.send("again", { id })).toMatchObject({ duplicate: true })
  }, 60_000)

  it.each([
    ["segments of 64 KiB, jobs of 8 kB", 8000, 64 << 10, false],
    ["segments of 64 KiB, jobs of 50 B", 50, 64 << 10, false],
    ["segments as they are by default, jobs of 8 kB", 8000, undefined, false],
    ["jobs with ids, which are remembered", 1000, 64 << 10, true],
  ])(
    "is emptied when it has filled the disk itself: %s",
    async (_, size, segmentBytes, hasIds) => {
      const path = disk()
      const jobs = await producer<string>({
        store: logStore(join(path, "queue"), nodeDisk, segmentBytes === undefined ? {} : { segmentBytes }),
      })
      const errors: unknown[] = []
      jobs.on("storeError", ({ error }) => errors.push(error))
      const accepted: string[] = []
      const send = async (name: string) => {
        await jobs.send(`${name} ${"x".repeat(size)}`, hasIds ? { id: name } : {})
        accepted.push(name)
      }
      for (let n = 0, isFull = false; !isFull; n += 8) {
        const sends = await Promise.allSettled(Array.from({ length: 8 }, (_, at) => send(String(n + at))))
        isFull = sends.some(({ status }) => status === "rejected")
      }
      expect(accepted.length).toBeGreaterThan(100)
      const seen: string[] = []
      void consumer(jobs, { prefetch: 16 }).run(job => void seen.push(nameOf(job)))
      await jobs.drain()
      expect(seen.length).toBe(accepted.length)
      expect(new Set(seen)).toEqual(new Set(accepted))
      expect(jobs.stats()).toMatchObject({ jobs: 0, done: accepted.length })
      // Ends of small jobs may come faster than segments go: then they wait for it.
      if (size === 8000) expect(errors).toEqual([])
      // The log gives up segments a little later.
      const isAccepted = () =>
        send("again").then(
          () => true,
          () => false,
        )
      for (let n = 0; n < 20; n++) await expect.poll(isAccepted, { timeout: 10_000 }).toBe(true)
      await jobs.drain()
    },
    60_000,
  )
})

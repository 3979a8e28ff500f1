/**
 * examples/python_worker.py against PROTOCOL.md: with producers that are killed, and with one that is played here, message by
 * message. Its `handle` is replaced by one that takes as long as a job says. Needs pyzmq and `npm run build`.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { json } from "peerlane/codec"
import { type HoldingOptions, Producer } from "peerlane/pipeline"
import { afterEach, describe, expect, it } from "vitest"
import { stage } from "./stage.js"

const python = process.env.PYTHON ?? (existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3")
const pyzmq = spawnSync(python, ["-c", "import zmq"]).status === 0
if (!pyzmq) console.warn(`the tests of the python worker are not run: ${python} cannot import zmq`)

const pathOf = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const source = readFileSync(pathOf("examples/python_worker.py"), "utf8")

/** `sleep`: for so long; `once`: only the first time that this worker sees the job's name. */
const HANDLE = `seen = set()
def handle(job):
    if not (job.get("once") and job["name"] in seen): time.sleep(job.get("sleep", 0))
    seen.add(job["name"])
    return job["name"]
`

interface Work {
  name: string
  /** In seconds. */
  sleep?: number
  once?: boolean
}

/** A producer in a process of its own: sends as many jobs as it is told to, and prints how many have been done. */
const PRODUCER = `
import { json } from "${pathOf("dist/patterns/codec/index.js")}"
import { Producer } from "${pathOf("dist/patterns/pipeline/index.js")}"
const [bind, store, count] = process.argv.slice(1)
const jobs = new Producer({ bind, store, codec: json(), heartbeat: 200, backoff: { min: 1, max: 10 } })
await jobs.ready()
for (let n = 0; n < Number(count); n++) await jobs.send({ name: "job " + n, sleep: 0.02 })
console.log(jobs.lastEndpoint)
setInterval(() => console.log("done " + jobs.stats().done), 20)
`

describe.skipIf(!pyzmq)("the python worker", () => {
  const children: ChildProcess[] = []
  const folders: string[] = []
  const closes: (() => Promise<void>)[] = []
  const { router } = stage("peerlane", "peerlane")

  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill("SIGKILL")
      await once(child, "exit")
    }
    for (const close of closes.splice(0)) await close()
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })

  function folder(): string {
    const made = mkdtempSync(join(tmpdir(), "python-worker-"))
    folders.push(made)
    return made
  }

  function worker(address: string) {
    const script = join(folder(), "worker.py")
    const replaced = source.replace(/def handle\(job\):\n.*\n/, HANDLE)
    expect(replaced).not.toBe(source)
    writeFileSync(script, replaced)
    const child = spawn(python, [script, address], { stdio: ["ignore", "inherit", "pipe"] })
    children.push(child)
    let errors = ""
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += text
    })
    const ended = once(child, "close").then(([code, signal]) => (code ?? signal) as number | string)
    return { kill: (signal: NodeJS.Signals) => child.kill(signal), ended, errors: () => errors }
  }

  async function producer(options: Partial<HoldingOptions>): Promise<Producer<Work>> {
    const codec = json<Work>()
    const made = new Producer<Work>({ bind: "tcp://127.0.0.1:*", codec, backoff: { min: 1, max: 10 }, ...options })
    closes.push(() => made.close())
    await made.ready()
    return made
  }

  /** Resolves with what it finds in the output. */
  async function printed(child: ChildProcess, pattern: RegExp): Promise<string> {
    let output = ""
    for await (const text of child.stdout!.iterator({ destroyOnReturn: false })) {
      output += text
      const [found] = pattern.exec(output) ?? []
      if (found !== undefined) return found
    }
    throw new Error(`the producer ended: ${output}`)
  }

  it("goes on when its producer was killed and starts again at the same address, and finishes", async () => {
    const store = join(folder(), "queue")
    const script = (bind: string, count: number) => {
      const parameters = ["--input-type=module", "-e", PRODUCER, bind, store, String(count)]
      const child = spawn(process.execPath, parameters, { stdio: ["ignore", "pipe", "inherit"] })
      child.stdout.setEncoding("utf8")
      children.push(child)
      return child
    }
    let killed = script("tcp://127.0.0.1:*", 100)
    const address = await printed(killed, /^tcp:.*\d$/m)
    const { ended } = worker(address)
    for (let again = 0; again < 2; again++) {
      await printed(killed, /^done (?!0)/m)
      killed.kill("SIGKILL")
      await once(killed, "exit")
      killed = script(address, 0)
    }
    await printed(killed, /^done (?!0)/m)
    killed.kill("SIGKILL")
    await once(killed, "exit")
    const jobs = await producer({ bind: address, store, heartbeat: 200 })
    expect(jobs.stats().jobs).toBeGreaterThan(0)
    await jobs.drain()
    expect(jobs.stats()).toMatchObject({ jobs: 0, consumers: 1 })
    expect(await Promise.race([ended, "it runs"])).toBe("it runs")
  }, 60_000)

  it("goes on when its producer was closed and starts again", async () => {
    const store = join(folder(), "queue")
    const first = await producer({ store, heartbeat: 200 })
    const address = first.lastEndpoint!
    worker(address)
    for (let n = 0; n < 20; n++) await first.send({ name: `job ${n}`, sleep: 0.02 })
    await expect.poll(() => first.stats().done, { timeout: 10_000 }).toBeGreaterThan(2)
    await first.close()
    const second = await producer({ bind: address, store, heartbeat: 200 })
    const { jobs } = second.stats()
    await second.drain()
    expect(second.stats()).toMatchObject({ jobs: 0, done: jobs })
  }, 60_000)

  it("works for longer than three heartbeats, from its first job on, without being taken for dead", async () => {
    const jobs = await producer({ heartbeat: 300 })
    const retries: unknown[] = []
    jobs.on("retry", event => retries.push(event))
    worker(jobs.lastEndpoint!)
    const { done } = await jobs.send({ name: "long", sleep: 1.5 }, { want: true })
    expect(await done).toBe("long")
    expect(retries).toEqual([])
  }, 60_000)

  it("goes on when the lease of a job ends while it works on it", async () => {
    const jobs = await producer({ lease: 500 })
    const retries: string[] = []
    jobs.on("retry", ({ reason }) => retries.push(reason))
    worker(jobs.lastEndpoint!)
    const slow = await jobs.send({ name: "slow", sleep: 1.2, once: true }, { want: true })
    const quick = await jobs.send({ name: "quick" }, { want: true })
    expect(await Promise.all([slow.done, quick.done])).toEqual(["slow", "quick"])
    expect(new Set(retries)).toEqual(new Set(["its lease ended"]))
    expect(jobs.stats()).toMatchObject({ done: 2, dead: 0, consumers: 1 })
  }, 60_000)

  it("says BYE at SIGTERM, and ends", async () => {
    const jobs = await producer({})
    const reasons: string[] = []
    jobs.on("leave", ({ reason }) => reasons.push(reason))
    const joined = new Promise(resolve => jobs.on("join", resolve))
    const { ended, kill } = worker(jobs.lastEndpoint!)
    await joined
    kill("SIGTERM")
    expect(await ended).toBe(0)
    await expect.poll(() => reasons).toEqual(["its consumer left"])
  }, 60_000)

  it("ends at SIGTERM also when its producer is gone", async () => {
    const jobs = await producer({})
    const joined = new Promise(resolve => jobs.on("join", resolve))
    const { ended, kill } = worker(jobs.lastEndpoint!)
    await joined
    await jobs.close()
    kill("SIGTERM")
    expect(await ended).toBe(0)
  }, 60_000)

  it("says why it was refused, and ends", async () => {
    const jobs = await producer({ groups: ["mail"] })
    const { ended, errors } = worker(jobs.lastEndpoint!)
    expect(await ended).toBe(1)
    expect(errors()).toContain("ENOENT")
  }, 60_000)

  describe("with a producer that is played", () => {
    interface Heard {
      routing: string
      command: string
      frames: string[]
    }
    interface Terms {
      consumer: string
      n: number
      holding: string[]
    }

    async function play() {
      const socket = await router()
      const messages = socket[Symbol.asyncIterator]()
      let peer: Buffer = Buffer.alloc(0)
      let answersPings = true
      let heartbeat = 500
      const say = (...message: string[]) => socket.send([peer, ...message])
      /** The next message; PINGs are answered on the way. */
      const hear = async (): Promise<Heard> => {
        for (;;) {
          const [routing, command, ...frames] = (await messages.next()).value as Buffer[]
          peer = routing!
          if (String(command) !== "PL1 PING")
            return { routing: routing!.toString("hex"), command: String(command), frames: frames.map(String) }
          if (answersPings) await say("PL1 PONG")
        }
      }
      const expectOf = async (command: string): Promise<string[]> => {
        const heard = await hear()
        expect(heard.command).toBe(command)
        return heard.frames
      }
      const welcome = (n: number, session: string, kept: string[] = []) =>
        say("PL1 WELCOME", JSON.stringify({ queue: "q", session, n, lease: 30_000, heartbeat, kept }))
      const job = (tag: string, work: Work) =>
        say("PL1 JOB", JSON.stringify([{ tag, id: tag, attempt: 1, codec: "json" }]), JSON.stringify(work))
      const hello = async () => JSON.parse((await expectOf("PL1 HELLO"))[0]!) as Terms
      const ack = async () => expectOf("PL1 ACK")
      /** Which come fast. */
      const ignorePings = () => {
        heartbeat = 100
        answersPings = false
      }
      return { address: socket.lastEndpoint!, say, hear, hello, welcome, job, ack, ignorePings }
    }

    it("repeats an ACK after each WELCOME until DONE, and then no more", async () => {
      const { address, say, hello, welcome, job, ack } = await play()
      worker(address)
      const { n, holding, consumer } = await hello()
      expect(holding).toEqual([])
      await welcome(n, "s1")
      await job("s1-1", { name: "one" })
      expect(await ack()).toEqual(["s1-1", '"one"'])
      await say("PL1 WHO")
      const second = await hello()
      expect(second).toMatchObject({ consumer, n: n + 1, holding: ["s1-1"] })
      await welcome(second.n, "s2", ["s1-1"])
      expect(await ack()).toEqual(["s1-1", '"one"'])
      await say("PL1 DONE", "s1-1")
      await say("PL1 WHO")
      expect(await hello()).toMatchObject({ n: n + 2, holding: [] })
    }, 60_000)

    it("says nothing of a job in work that it is told is another's", async () => {
      const { address, say, hello, welcome, job, ack } = await play()
      worker(address)
      const first = await hello()
      await welcome(first.n, "s1")
      await job("s1-1", { name: "lost", sleep: 0.5 })
      await say("PL1 WHO")
      const second = await hello()
      expect(second.holding).toEqual(["s1-1"])
      await welcome(second.n, "s2", [])
      await job("s2-1", { name: "not begun" })
      await say("PL1 WHO")
      const third = await hello()
      expect(third.holding).toEqual(["s2-1"])
      await welcome(third.n, "s3", [])
      await job("s3-1", { name: "next" })
      expect(await ack()).toEqual(["s3-1", '"next"'])
      await say("PL1 STALE", "s3-1")
      await say("PL1 WHO")
      expect((await hello()).holding).toEqual([])
    }, 60_000)

    it("keeps a job in work that it is told is still its own, and acks it over the new connection", async () => {
      const { address, say, hello, welcome, job, ack } = await play()
      worker(address)
      await welcome((await hello()).n, "s1")
      await job("s1-1", { name: "kept", sleep: 0.5 })
      await say("PL1 WHO")
      await welcome((await hello()).n, "s2", ["s1-1"])
      expect(await ack()).toEqual(["s1-1", '"kept"'])
    }, 60_000)

    it("ignores jobs before WELCOME, of an earlier session, and of a tag that it has", async () => {
      const { address, say, hello, welcome, job, ack } = await play()
      worker(address)
      const { n } = await hello()
      await job("s1-0", { name: "early" })
      await welcome(n, "s1")
      await job("s0-1", { name: "old" })
      await job("s1-1", { name: "one", sleep: 0.2 })
      await job("s1-1", { name: "again" })
      expect(await ack()).toEqual(["s1-1", '"one"'])
      await say("PL1 DONE", "s1-1")
      await job("s1-2", { name: "two" })
      expect(await ack()).toEqual(["s1-2", '"two"'])
    }, 60_000)

    it("ignores a WELCOME for another HELLO, and says HELLO again", async () => {
      const { address, say, hello, welcome, job, ack } = await play()
      worker(address)
      const { n } = await hello()
      await welcome(n - 1, "s0")
      await welcome(n, "s1")
      await welcome(n, "s1") // twice is no harm
      await job("s1-1", { name: "one" })
      expect(await ack()).toEqual(["s1-1", '"one"'])
      await say("PL1 DONE", "s1-1")
      await welcome(n - 1, "s0")
      const next = await hello()
      expect(next.n).toBe(n + 1)
    }, 60_000)

    it("connects anew when it hears nothing for three heartbeats, with what it holds", async () => {
      const { address, hear, welcome, job, ignorePings } = await play()
      worker(address)
      const first = await hear()
      const { n, consumer } = JSON.parse(first.frames[0]!) as Terms
      ignorePings()
      await welcome(n, "s1")
      await job("s1-1", { name: "one", sleep: 1 })
      const second = await hear()
      expect(second.command).toBe("PL1 HELLO")
      expect(second.routing).not.toBe(first.routing)
      const said = JSON.parse(second.frames[0]!) as Terms
      expect(said).toMatchObject({ consumer, holding: ["s1-1"] })
      expect(said.n).toBeGreaterThan(n)
      await welcome(said.n, "s2", ["s1-1"])
      for (let heard = await hear(); ; heard = await hear()) {
        if (heard.command === "PL1 ACK") {
          expect(heard.frames).toEqual(["s1-1", '"one"'])
          break
        }
        await welcome((JSON.parse(heard.frames[0]!) as Terms).n, "s3", ["s1-1"])
      }
    }, 60_000)

    it("says HELLO every heartbeat until it is welcome, and again after BYE", async () => {
      const { address, say, hello, welcome } = await play()
      worker(address)
      const first = await hello()
      const second = await hello()
      expect(second.n).toBe(first.n + 1)
      await welcome(second.n, "s1")
      await say("PL1 BYE")
      const third = await hello()
      expect(third.n).toBe(second.n + 1)
      await welcome(third.n, "s2")
    }, 60_000)
  })
})

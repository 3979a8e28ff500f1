/**
 * Producers that hand their jobs to this one, and wait for its disk. Each may have a window of jobs under way, so that a
 * full queue makes it wait and not this process grow. Who wants to know what becomes of a job is told as long as he is there.
 */

import { SILENT_BEATS } from "../typed/contact.js"
import { peerFault } from "../typed/error.js"
import { countOf, type Frame, nameOf, objectOf, textOf, textsOf } from "../typed/protocol.js"
import type { Clock } from "../typed/runtime.js"
import { PipelineError } from "./errors.js"
import { type Command, frame } from "./frames.js"
import { priorities } from "./job.js"
import type { OwnQueue } from "./own-queue.js"
import type { NewJob } from "./queue.js"
import type { Wish } from "./wishes.js"

const WINDOW = 256
const WINDOW_BYTES = 4 * 1024 * 1024
/** Its window bounds how many wait for room, so they are not counted with the others. */
const FROM_A_WINDOW = { isBounded: true } as const

interface Submitter {
  readonly name: string
  /** Of the connection that it said HELLO over. */
  readonly routing: Buffer
  heard: number
  /** What it has under way, also since before it said HELLO again. */
  readonly load: { jobs: number; bytes: number }
  /** To be told at the end of this turn. */
  accepted: number[]
  duplicates: number[]
  /** What it wants to know of jobs that are here. */
  readonly wishes: Map<string, Wish>
}

export class Submitters {
  private readonly byRouting = new Map<string, Submitter>()
  private readonly byName = new Map<string, Submitter>()

  constructor(
    private readonly own: OwnQueue,
    private readonly clock: Clock,
    private readonly settings: { readonly heartbeat: number; readonly maxBodyBytes: number },
    private readonly say: (routing: Buffer, message: Frame[]) => void,
  ) {}

  get size(): number {
    return this.byName.size
  }

  hello(routing: Buffer, said: Record<string, unknown>, welcome: object): void {
    const name = nameOf(said.submitter, "submitter")
    const before = this.byName.get(name)
    for (const known of [before, this.byRouting.get(routing.toString("latin1"))]) {
      if (known !== undefined) this.drop(known)
    }
    const load = before?.load ?? { jobs: 0, bytes: 0 }
    const nothing = { accepted: [], duplicates: [], wishes: new Map<string, Wish>() }
    const submitter: Submitter = { name, routing, heard: this.clock.now(), load, ...nothing }
    this.byRouting.set(routing.toString("latin1"), submitter)
    this.byName.set(name, submitter)
    const terms = {
      groups: this.own.groups,
      window: WINDOW,
      windowBytes: WINDOW_BYTES,
      jobBytes: this.settings.maxBodyBytes,
    }
    this.say(routing, [frame.WELCOME, JSON.stringify({ ...welcome, ...terms })])
  }

  /** It missed something. */
  forget(routing: string): void {
    const submitter = this.byRouting.get(routing)
    if (submitter !== undefined) this.drop(submitter)
  }

  forgive(ms: number): void {
    for (const submitter of this.byName.values()) submitter.heard += ms
  }

  private drop(submitter: Submitter): void {
    this.byRouting.delete(submitter.routing.toString("latin1"))
    this.byName.delete(submitter.name)
    for (const [id, wish] of submitter.wishes) this.own.detach(id, wish)
  }

  /** false: it is from none of these. */
  receive(routing: Buffer, command: Command, message: Buffer[]): boolean {
    const submitter = this.byRouting.get(routing.toString("latin1"))
    if (submitter === undefined) return false
    submitter.heard = this.clock.now()
    if (command === "PING") this.say(routing, [frame.PONG])
    else if (command === "BYE") this.drop(submitter)
    else if (command === "SUBMIT") this.submit(submitter, message)
    else if (command === "WANT") this.want(submitter, objectOf(message[2]))
    else throw new PipelineError("EINVAL", `a submitter does not say ${command}`)
    return true
  }

  private submit(submitter: Submitter, [, , head, bytes]: Buffer[]): void {
    const said = objectOf(head)
    const n = countOf(said.n, "n", 0)
    const decline = (code: string, message: string) =>
      this.say(submitter.routing, [frame.DECLINED, JSON.stringify({ n, code, message })])
    if (bytes === undefined) throw new PipelineError("EINVAL", "a SUBMIT has a body")
    const size = bytes.length
    const { maxBodyBytes } = this.settings
    if (size > maxBodyBytes) {
      decline("EMSGSIZE", `a job of ${size} bytes is above ${maxBodyBytes}, which is what is taken here`)
      return
    }
    const { load } = submitter
    if (load.jobs >= 2 * WINDOW || (load.bytes > 0 && load.bytes + size > 2 * WINDOW_BYTES)) {
      decline("EBUSY", "more was submitted than the window allows")
      return
    }
    let job: NewJob
    try {
      job = this.jobOf(said, bytes)
    } catch (error) {
      const { code, message } = peerFault(error)
      decline(code, message)
      return
    }
    const wish = job.want ? this.wishOf(submitter, job.id!) : null
    load.jobs++
    load.bytes += size
    const leave = () => {
      load.jobs--
      load.bytes -= size
    }
    this.own.add(job, wish, FROM_A_WINDOW).then(
      ({ duplicate }) => {
        leave()
        this.accept(submitter, n, duplicate)
      },
      (error: Error & { code?: string }) => {
        leave()
        submitter.wishes.delete(job.id!)
        // It is handed over again when there is somebody to take it.
        if (error.code === "ECLOSED") return
        decline(error.code ?? "EIO", error.message)
      },
    )
  }

  /** EINVAL. Times are those of this process: `delay` and `ttl` begin here. */
  private jobOf(said: Record<string, unknown>, bytes: Buffer): NewJob {
    const id = textOf(said.id, "id", "")
    if (id === "") throw new PipelineError("EINVAL", "a SUBMIT has an id")
    const band = priorities.indexOf(textOf(said.priority, "priority", "normal") as "normal")
    if (band < 0) throw new PipelineError("EINVAL", `priority is to be one of ${priorities.join(", ")}`)
    const date = this.clock.date()
    const delay = countOf(said.delay, "delay", 0)
    const ttl = countOf(said.ttl, "ttl", -1)
    return {
      body: Uint8Array.from(bytes), // What came is a view of what came with it.
      codec: textOf(said.codec, "codec", "raw"),
      id,
      key: textOf(said.key, "key", null),
      band,
      startAt: countOf(said.startAt, "startAt", delay > 0 ? date + delay : 0),
      expiresAt: ttl >= 0 ? date + ttl : Number.POSITIVE_INFINITY,
      maxAttempts: countOf(said.maxAttempts, "maxAttempts", 0),
      lease: countOf(said.lease, "lease", 0),
      want: said.want === true,
    }
  }

  private accept(submitter: Submitter, n: number, isDuplicate: boolean): void {
    if (submitter.accepted.length === 0) void Promise.resolve().then(() => this.tellAccepted(submitter))
    submitter.accepted.push(n)
    if (isDuplicate) submitter.duplicates.push(n)
  }

  private tellAccepted(submitter: Submitter): void {
    const { routing, accepted, duplicates } = submitter
    submitter.accepted = []
    submitter.duplicates = []
    this.say(routing, [frame.ACCEPTED, accepted.join(" "), duplicates.join(" ")])
  }

  /** It was here before, and goes on wanting to know. */
  private want(submitter: Submitter, { ids }: Record<string, unknown>): void {
    for (const id of textsOf(ids, "ids")) {
      if (!submitter.wishes.has(id)) this.own.attach(id, this.wishOf(submitter, id))
    }
  }

  private wishOf(submitter: Submitter, id: string): Wish {
    const { routing, wishes } = submitter
    const end = (head: object, bodies: Iterable<Uint8Array>) => {
      wishes.delete(id)
      this.say(routing, [frame.RESULT, JSON.stringify({ id, ...head }), ...bodies])
    }
    const wish: Wish = {
      onProgress: (body, group) => this.say(routing, [frame.PROGRESS, JSON.stringify({ id, group }), body]),
      onDone: results => end({ groups: [...results.keys()] }, results.values()),
      onFailed: ({ code, message }) => end({ code, message }, []),
    }
    wishes.set(id, wish)
    return wish
  }

  tick(): void {
    const now = this.clock.now()
    for (const submitter of [...this.byName.values()]) {
      if (now - submitter.heard >= SILENT_BEATS * this.settings.heartbeat) this.drop(submitter)
    }
  }

  close(): void {
    for (const { routing } of this.byName.values()) this.say(routing, [frame.BYE])
  }
}

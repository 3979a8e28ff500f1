/**
 * Producers that hand their jobs to this one, and wait for its disk. Each may have a window of jobs under way, so that a
 * full queue makes it wait and not this process grow; what it asked to know about a job is told as long as it is there.
 */
import type { Clock } from "../typed/runtime.js"
import { SILENT_BEATS } from "./dispatcher.js"
import { PipelineError } from "./errors.js"
import { type Command, countOf, type Frame, frame, objectOf, textOf } from "./frames.js"
import { priorities, State, type Ticket } from "./job.js"
import type { Queue } from "./queue.js"

const WINDOW = 1024
const WINDOW_BYTES = 16 * 1024 * 1024

interface Submitter {
  readonly name: string
  routing: Buffer
  heard: number
  underWay: number
  bytes: number
  /** To be told at the end of this turn. */
  accepted: string[]
}

export class Submitters {
  private readonly byRouting = new Map<string, Submitter>()
  /** Who wants to know what becomes of a job. */
  private readonly curious = new Map<string, Submitter>()

  constructor(
    private readonly queue: Queue,
    private readonly clock: Clock,
    private readonly settings: { readonly heartbeat: number; readonly maxJobBytes: number },
    private readonly say: (routing: Buffer, message: Frame[]) => boolean,
  ) {}

  get size(): number {
    return this.byRouting.size
  }

  hello(routing: Buffer, said: Record<string, unknown>, welcome: object): void {
    const name = textOf(said.submitter, "submitter", "")
    if (name === "" || name.length > 100) throw new PipelineError("EINVAL", "submitter is to be a name of up to 100 letters")
    const nothing = { underWay: 0, bytes: 0, accepted: [] }
    const submitter: Submitter = { name, routing, heard: this.clock.now(), ...nothing }
    for (const [key, other] of this.byRouting) {
      if (other.name === name) this.drop(key, other, submitter)
    }
    this.byRouting.set(routing.toString("latin1"), submitter)
    this.say(routing, [frame.WELCOME, JSON.stringify({ ...welcome, window: WINDOW, windowBytes: WINDOW_BYTES })])
  }

  private drop(key: string, submitter: Submitter, heir: Submitter | null): void {
    this.byRouting.delete(key)
    for (const [id, other] of this.curious) {
      if (other !== submitter) continue
      if (heir === null) this.curious.delete(id)
      else this.curious.set(id, heir)
    }
  }

  /** false: it is from none of these. */
  receive(routing: Buffer, command: Command, message: Buffer[]): boolean {
    const key = routing.toString("latin1")
    const submitter = this.byRouting.get(key)
    if (submitter === undefined) return false
    submitter.heard = this.clock.now()
    if (command === "PING") this.say(routing, [frame.PONG])
    else if (command === "BYE") this.drop(key, submitter, null)
    else if (command === "SUBMIT") this.submit(submitter, message)
    else throw new PipelineError("EINVAL", `a submitter does not say ${command}`)
    return true
  }

  private submit(submitter: Submitter, [, , head, body]: Buffer[]): void {
    const said = objectOf(head)
    const n = countOf(said.n, "n", 0)
    const decline = (code: string, message: string) =>
      this.say(submitter.routing, [frame.DECLINED, JSON.stringify({ n, code, message })])
    if (body === undefined) throw new PipelineError("EINVAL", "a SUBMIT has a body")
    if (body.length > this.settings.maxJobBytes) {
      decline("EMSGSIZE", `a job of ${body.length} bytes is above ${this.settings.maxJobBytes} (maxJobBytes)`)
      return
    }
    if (submitter.underWay >= WINDOW || (submitter.bytes > 0 && submitter.bytes + body.length > WINDOW_BYTES)) {
      decline("EBUSY", "more was submitted than the window allows")
      return
    }
    const id = textOf(said.id, "id", "")
    if (id === "") throw new PipelineError("EINVAL", "a SUBMIT has an id")
    const date = this.clock.date()
    const ttl = countOf(said.ttl, "ttl", 0)
    const band = priorities.indexOf(textOf(said.priority, "priority", "normal") as "normal")
    if (band < 0) throw new PipelineError("EINVAL", `priority is to be one of ${priorities.join(", ")}`)
    const delay = countOf(said.delay, "delay", 0)
    submitter.underWay++
    submitter.bytes += body.length
    const leave = () => {
      submitter.underWay--
      submitter.bytes -= body.length
    }
    if (said.want === true) this.curious.set(id, submitter)
    this.queue
      .add({
        body: Uint8Array.from(body), // What came is a view of what came with it.
        codec: textOf(said.codec, "codec", "raw"),
        id,
        key: textOf(said.key, "key", null),
        band,
        startAt: countOf(said.startAt, "startAt", delay > 0 ? date + delay : 0),
        expiresAt: ttl > 0 ? date + ttl : Number.POSITIVE_INFINITY,
        maxAttempts: countOf(said.maxAttempts, "maxAttempts", 0),
        lease: countOf(said.lease, "lease", 0),
      })
      .then(
        () => {
          leave()
          this.accept(submitter, n)
        },
        (error: Error & { code?: string }) => {
          leave()
          this.curious.delete(id)
          decline(error.code ?? "EIO", error.message)
        },
      )
  }

  private accept(submitter: Submitter, n: number): void {
    submitter.accepted.push(String(n))
    if (submitter.accepted.length > 1) return
    void Promise.resolve().then(() => {
      this.say(submitter.routing, [frame.ACCEPTED, submitter.accepted.join(" ")])
      submitter.accepted = []
    })
  }

  wants(id: string): boolean {
    return this.curious.has(id)
  }

  onProgress({ job }: Ticket, body: Uint8Array): void {
    const submitter = this.curious.get(job.id)
    if (submitter !== undefined) this.say(submitter.routing, [frame.PROGRESS, JSON.stringify({ id: job.id }), body])
  }

  /** A job has ended in all its groups: done, with what the last of them gave back, or dead. */
  onEnd({ job, state, reason }: Ticket, result: Uint8Array): void {
    const submitter = this.curious.get(job.id)
    if (submitter === undefined) return
    this.curious.delete(job.id)
    const told = state === State.Dead ? { id: job.id, dead: true, reason } : { id: job.id }
    this.say(submitter.routing, [frame.RESULT, JSON.stringify(told), result])
  }

  tick(): void {
    const now = this.clock.now()
    for (const [key, submitter] of this.byRouting) {
      if (now - submitter.heard >= SILENT_BEATS * this.settings.heartbeat) this.drop(key, submitter, null)
    }
  }

  close(bye: Frame): void {
    for (const { routing } of this.byRouting.values()) this.say(routing, [bye])
  }
}

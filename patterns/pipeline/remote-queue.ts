/**
 * A queue that another producer holds: jobs are handed to it, and are accepted when it has them on its disk. What is not
 * accepted when a connection ends is handed over again, under the same id. A job waits here until the other side has room.
 */

import { Contact } from "../typed/contact.js"
import { Meter } from "../typed/meter.js"
import { randomName } from "../typed/names.js"
import { countOf, objectOf, textOf, textsOf, wordsOf } from "../typed/protocol.js"
import type { TypedRuntime } from "../typed/runtime.js"
import type { Sockets } from "../typed/sockets.js"
import { Waiting, type WaitOptions } from "../typed/waiting.js"
import { closedError, PipelineError, type PipelineErrorCode, pipelineError } from "./errors.js"
import { type Command, frame, protocol } from "./frames.js"
import { priorities } from "./job.js"
import { type Accepted, type NewJob, UNWANTED } from "./queue.js"
import type { PlaceSink, PlaceStats, QueuePlace } from "./queue-place.js"
import { type Limits, Room } from "./room.js"
import { type Wish, Wishes } from "./wishes.js"

const NO_ROOM: Limits = { maxJobs: 0, maxBytes: 0 }
/** Ids that are named in one message. */
const WANTED_AT_A_TIME = 500
/** With which a job may be declined. */
const CODES: readonly string[] = ["EMSGSIZE", "EBUSY", "EINVAL", "ENOSPC", "EIO"]

/** A job that was handed over and is not accepted yet. */
interface Submission {
  readonly n: number
  readonly id: string
  readonly job: NewJob
  readonly waiting: Waiting
  /** It was handed over more than once: nobody can say any more whether it was there before. */
  again: boolean
  duplicate: boolean
}

export interface RemoteQueueSink extends PlaceSink {
  onWelcome(address: string): void
  onRefused(address: string, error: PipelineError): void
}

export class RemoteQueue implements QueuePlace {
  readonly lastEndpoint = null
  groups: readonly string[] = [""]
  private readonly name: string
  private readonly contact: Contact<Command>
  private readonly room: Room
  private readonly wishes = new Wishes()
  private readonly underWay = new Map<number, Submission>()
  private readonly accepted: Meter
  private window: Limits = NO_ROOM
  /** The longest job that the queue takes. */
  private jobBytes = Number.POSITIVE_INFINITY
  private paused = false
  private closed = false
  private submissions = 0
  private ids = 0
  private readonly opened: Waiting

  constructor(
    address: string,
    sockets: Sockets,
    socketOptions: object,
    maxWaiting: number,
    private readonly runtime: TypedRuntime,
    private readonly sink: RemoteQueueSink,
  ) {
    this.name = randomName(runtime, 12)
    this.room = new Room(runtime.clock, NO_ROOM, maxWaiting, () => sink.onFinished())
    this.accepted = new Meter(runtime.clock)
    this.opened = new Waiting(runtime.clock, {}, closedError)
    this.contact = new Contact(address, protocol, sockets, socketOptions, runtime.clock, {
      introduce: () => ({ submitter: this.name }),
      onWelcome: said => this.welcome(said),
      onMessage: (command, message) => this.receive(command, message),
      onRefused: error => sink.onRefused(address, pipelineError(error)),
      onBye: () => {},
      onBeat: () => {},
    })
  }

  /** Resolves when the other side knows us. ECLOSED. */
  open(): Promise<void> {
    this.contact.start()
    return this.opened.promise
  }

  add(job: NewJob, wish: Wish | null, wait: WaitOptions): Promise<Accepted> {
    if (this.closed) return Promise.reject(closedError())
    const ends = wait.timeout === undefined ? Number.POSITIVE_INFINITY : this.runtime.clock.now() + wait.timeout
    const submit = () => this.submit(job, wish, wait, ends)
    return this.room.tryEnter(job.body.length) ? submit() : this.room.enter(job.body.length, wait, submit)
  }

  /** There is room for it. @param ends When nobody waits for it any more, by `clock.now()`. */
  private async submit(job: NewJob, wish: Wish | null, wait: WaitOptions, ends: number): Promise<Accepted> {
    const { clock } = this.runtime
    const size = job.body.length
    if (size > this.jobBytes) {
      this.room.leave(size)
      this.sink.onFinished()
      throw new PipelineError("EMSGSIZE", `a job of ${size} bytes is above ${this.jobBytes}, which the queue takes`)
    }
    const id = job.id ?? `${this.name}-${(++this.ids).toString(36)}`
    const late = () =>
      new PipelineError("ETIMEDOUT", `${id} was handed over, and is not known to be accepted after ${wait.timeout} ms`)
    const timeout = ends === Number.POSITIVE_INFINITY ? undefined : Math.max(0, ends - clock.now())
    const waiting = new Waiting(clock, { timeout, signal: wait.signal }, late)
    const n = ++this.submissions
    const submission: Submission = { n, id, job, waiting, again: false, duplicate: false }
    this.underWay.set(n, submission)
    if (wish !== null) this.wishes.add(id, wish)
    if (this.contact.isWelcome) this.say(submission)
    try {
      await waiting.promise
    } catch (error) {
      if (wish !== null) this.wishes.remove(id, wish)
      throw error
    }
    return { id, duplicate: submission.duplicate && !submission.again, done: UNWANTED }
  }

  private say({ n, id, job }: Submission): void {
    this.contact.say([frame.SUBMIT, headOf(n, id, job, this.runtime.clock.date()), job.body])
  }

  private welcome(said: Record<string, unknown>): void {
    const maxJobs = countOf(said.window, "window", 1)
    const maxBytes = countOf(said.windowBytes, "windowBytes", 1)
    this.window = { maxJobs, maxBytes }
    this.jobBytes = countOf(said.jobBytes, "jobBytes", Number.POSITIVE_INFINITY)
    if (said.groups !== undefined) this.groups = textsOf(said.groups, "groups")
    for (const submission of this.underWay.values()) {
      submission.again = true
      this.say(submission)
    }
    const ids = this.wishes.ids()
    for (let at = 0; at < ids.length; at += WANTED_AT_A_TIME) {
      this.contact.say([frame.WANT, JSON.stringify({ ids: ids.slice(at, at + WANTED_AT_A_TIME) })])
    }
    if (!this.paused) this.room.resize(this.window)
    this.opened.end()
    this.sink.onWelcome(this.contact.address)
  }

  private receive(command: Command, [, what, ...more]: Buffer[]): void {
    switch (command) {
      case "ACCEPTED": {
        const before = new Set(wordsOf(more[0]))
        for (const n of wordsOf(what)) this.isAccepted(Number(n), before.has(n))
        break
      }
      case "DECLINED": {
        const { n, code, message } = objectOf(what)
        const known = CODES.includes(textOf(code, "code", "")) ? (code as PipelineErrorCode) : "EINVAL"
        this.take(countOf(n, "n", 0))?.waiting.fail(new PipelineError(known, textOf(message, "message", "")))
        break
      }
      case "RESULT":
        this.result(objectOf(what), more)
        break
      case "PROGRESS": {
        const { id, group } = objectOf(what)
        const [body] = more
        if (body !== undefined) this.wishes.progress(textOf(id, "id", ""), body, textOf(group, "group", ""))
        break
      }
      default:
        throw new PipelineError("EPROTO", `${this.contact.address} says ${command} to a producer`)
    }
  }

  private isAccepted(n: number, wasThere: boolean): void {
    const submission = this.take(n)
    if (submission === undefined) return
    submission.duplicate = wasThere
    this.accepted.add()
    submission.waiting.end()
  }

  /** It is not on its way any more. */
  private take(n: number): Submission | undefined {
    const submission = this.underWay.get(n)
    if (submission === undefined) return undefined
    this.underWay.delete(n)
    this.room.leave(submission.job.body.length)
    this.sink.onFinished()
    return submission
  }

  private result(said: Record<string, unknown>, bodies: Buffer[]): void {
    const id = textOf(said.id, "id", "")
    if (said.code !== undefined) {
      const code = said.code === "EDEAD" ? "EDEAD" : "ENOENT"
      this.wishes.failed(id, new PipelineError(code, textOf(said.message, "message", "")))
      return
    }
    const groups = textsOf(said.groups, "groups")
    this.wishes.done(id, new Map(groups.map((group, at) => [group, bodies[at] ?? new Uint8Array(0)])))
  }

  pause(): void {
    this.paused = true
    this.room.resize(NO_ROOM)
  }

  resume(): void {
    this.paused = false
    this.room.resize(this.window)
  }

  get unfinished(): number {
    return this.room.waiting + this.room.jobs
  }

  stats(): PlaceStats {
    const { waiting, jobs, bytes } = this.room
    const nothing = { ready: 0, delayed: 0, blocked: 0, inFlight: 0, dead: 0, consumers: 0, done: 0, retried: 0 }
    const rates = { accepted: this.accepted.perSecond, done: 0, retried: 0 }
    return { ...nothing, waiting, jobs, bytes, accepted: this.accepted.total, rates, oldestAge: 0 }
  }

  /** What is not accepted may be, or may not: ECLOSED. */
  async close(): Promise<void> {
    this.closed = true
    this.room.close(closedError())
    this.opened.fail(closedError())
    for (const { waiting } of this.underWay.values()) waiting.fail(closedError())
    this.wishes.close(closedError())
    await this.contact.close()
  }
}

/** Times go as they are left, so that two clocks need not agree. */
function headOf(n: number, id: string, job: NewJob, date: number): string {
  const { codec, key, band, startAt, expiresAt, maxAttempts, lease, want } = job
  const head: Record<string, unknown> = { n, id, codec }
  if (key !== null) head.key = key
  if (priorities[band] !== "normal") head.priority = priorities[band]
  if (startAt > date) head.delay = Math.round(startAt - date)
  if (expiresAt !== Number.POSITIVE_INFINITY) head.ttl = Math.max(0, Math.round(expiresAt - date))
  if (maxAttempts > 0) head.maxAttempts = maxAttempts
  if (lease > 0) head.lease = lease
  if (want) head.want = true
  return JSON.stringify(head)
}

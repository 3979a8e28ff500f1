/**
 * A consumer's side of one producer, by the rules of PROTOCOL.md: keeps what it was given, and what it has said of that until
 * the producer has it on disk, and says it again after each new welcome.
 */

import { Contact } from "../typed/contact.js"
import { countOf, type Frame, objectsOf, textOf, textsOf, wordsOf } from "../typed/protocol.js"
import type { Clock } from "../typed/runtime.js"
import type { Sockets } from "../typed/sockets.js"
import { PipelineError, pipelineError } from "./errors.js"
import { type Command, frame, protocol } from "./frames.js"

/** A job in this consumer's hands. */
export interface Held {
  readonly link: Link
  readonly tag: string
  readonly id: string
  readonly attempt: number
  readonly codec: string
  readonly key: string | null
  readonly body: Buffer
  readonly lease: number
  /** The producer's sender waits for the result. */
  readonly want: boolean
  /** By our clock, when the lease ends; the producer's began a little earlier. */
  ends: number
  begun: boolean
  /** It is not ours any more. */
  lost: boolean
  /** null until somebody asks for its signal. */
  abort: AbortController | null
}

/** Letters of a stack, or a reason, that are passed on. */
const LONGEST_STACK = 16_384

/** Why an attempt failed, and when the next may be, in ms from now. */
interface Failure {
  readonly reason?: string
  readonly stack?: string
  readonly delay?: number
}

/** What was said of a job that has ended, until the producer has it on disk. */
interface End {
  readonly message: Frame[]
  readonly resolve: () => void
  readonly reject: (error: PipelineError) => void
}

/** The terms of HELLO. */
export interface Terms {
  readonly consumer: string
  readonly group: string
  readonly bytes: number
  readonly concurrency: number
}

export interface LinkSink {
  onJob(held: Held): void
  /** Its end was said. */
  onSettled(held: Held): void
  /** What was said of its end came too late. */
  onTooLate(held: Held): void
  /** Its lease is over, or its producer does not know it any more. */
  onLost(held: Held): void
  onRefused(address: string, error: PipelineError): void
  onWelcome(address: string): void
}

export class Link {
  private readonly contact: Contact<Command>
  private lease = 0
  private prefetch = 0
  private toldPrefetch = 0
  /** The longest result, or progress, that the producer takes, in bytes. */
  private resultBytes = Number.POSITIVE_INFINITY
  private closed = false
  private readonly held = new Map<string, Held>()
  private readonly ends = new Map<string, End>()
  /** Tags of ACKs without a result, to be said at the end of this turn. */
  private acks: string[] = []
  private quiet: (() => void)[] = []

  constructor(
    readonly address: string,
    sockets: Sockets,
    options: object,
    private readonly clock: Clock,
    private readonly terms: Terms,
    private readonly sink: LinkSink,
  ) {
    this.contact = new Contact(address, protocol, sockets, options, clock, {
      introduce: () => this.introduce(),
      onWelcome: said => this.welcome(said),
      onMessage: (command, message) => this.receive(command, message),
      onRefused: error => sink.onRefused(address, pipelineError(error)),
      onBye: () => {},
      onBeat: now => this.extendWaiting(now),
    })
  }

  get isWelcome(): boolean {
    return this.contact.isWelcome
  }

  start(prefetch: number): void {
    this.prefetch = prefetch
    this.contact.start()
  }

  setPrefetch(prefetch: number): void {
    this.prefetch = prefetch
    if (this.isWelcome) this.tellPrefetch()
  }

  private tellPrefetch(): void {
    if (this.prefetch === this.toldPrefetch) return
    this.toldPrefetch = this.prefetch
    this.contact.say([frame.CREDIT, String(this.prefetch)])
  }

  private introduce(): object {
    this.toldPrefetch = this.prefetch
    return { ...this.terms, prefetch: this.prefetch, holding: [...this.held.keys(), ...this.ends.keys()] }
  }

  /** Leases are for work: those that wait to be begun have new ones. */
  private extendWaiting(now: number): void {
    const byLease = new Map<number, string[]>()
    for (const held of this.held.values()) {
      if (held.begun || held.ends - now > (held.lease * 2) / 3) continue
      held.ends = now + held.lease
      const tags = byLease.get(held.lease)
      if (tags === undefined) byLease.set(held.lease, [held.tag])
      else tags.push(held.tag)
    }
    for (const [lease, tags] of byLease) this.contact.say([frame.EXTEND, [lease, ...tags].join(" ")])
  }

  private receive(command: Command, [, what, ...bodies]: Buffer[]): void {
    switch (command) {
      case "JOB": {
        const heads = objectsOf(what)
        for (let at = 0; at < heads.length; at++) this.job(heads[at]!, bodies[at])
        break
      }
      case "DONE":
        for (const tag of wordsOf(what)) this.end(tag)?.resolve()
        break
      case "STALE":
        for (const tag of wordsOf(what)) this.stale(tag)
        break
      default:
        throw new PipelineError("EPROTO", `${this.address} says ${command} to a consumer`)
    }
  }

  private welcome(said: Record<string, unknown>): void {
    this.lease = countOf(said.lease, "lease", 30_000)
    this.contact.pace = this.lease / 3
    const kept = new Set(textsOf(said.kept, "kept"))
    for (const tag of [...this.held.keys()]) {
      if (!kept.has(tag)) this.stale(tag)
    }
    this.tellPrefetch()
    this.resultBytes = countOf(said.resultBytes, "resultBytes", Number.POSITIVE_INFINITY)
    this.acks = []
    for (const { message } of this.ends.values()) this.contact.say(message)
    this.sink.onWelcome(this.address)
  }

  private job(head: Record<string, unknown>, body: Buffer | undefined): void {
    const tag = textOf(head.tag, "tag", "")
    if (!this.isWelcome) return
    if (!tag.startsWith(`${this.contact.session}-`) || this.held.has(tag) || this.ends.has(tag) || this.closed) return
    const lease = countOf(head.lease, "lease", this.lease)
    const held: Held = {
      link: this,
      tag,
      id: textOf(head.id, "id", ""),
      attempt: countOf(head.attempt, "attempt", 1),
      codec: textOf(head.codec, "codec", "raw"),
      key: textOf(head.key, "key", null),
      body: body ?? Buffer.alloc(0),
      lease,
      want: head.want === true,
      ends: this.clock.now() + lease,
      begun: false,
      lost: false,
      abort: null,
    }
    this.held.set(tag, held)
    this.sink.onJob(held)
  }

  /** Work on it begins: its lease begins with it, if some of that was spent on waiting. */
  begin(held: Held): void {
    held.begun = true
    const now = this.clock.now()
    if (held.ends - now < held.lease * 0.9) this.extend(held, held.lease)
  }

  extend(held: Held, ms: number): void {
    held.ends = this.clock.now() + ms
    this.contact.say([frame.EXTEND, `${ms} ${held.tag}`])
  }

  /** EMSGSIZE. */
  progress(held: Held, body: Uint8Array): void {
    this.checkSize(body)
    this.contact.whisper([frame.PROGRESS, held.tag, body])
  }

  private checkSize({ length }: Uint8Array): void {
    if (length <= this.resultBytes) return
    throw new PipelineError(
      "EMSGSIZE",
      `a result of ${length} bytes is above what ${this.address} takes, ${this.resultBytes}`,
    )
  }

  /** Done. Resolves when the producer has it on disk; ESTALE: it was not ours any more. EMSGSIZE: it is still ours. */
  async ack(held: Held, result: Uint8Array | null): Promise<void> {
    if (result !== null) this.checkSize(result)
    await this.settle(held, ackOf(held, result), result === null)
  }

  /** The same for who does not wait: the sink is told if it came too late. EMSGSIZE is thrown. */
  finish(held: Held, result: Uint8Array | null): void {
    if (result !== null) this.checkSize(result)
    if (!this.isOurs(held)) {
      this.sink.onTooLate(held)
      return
    }
    const reject = ({ code }: PipelineError) => {
      if (code !== "ECLOSED") this.sink.onTooLate(held)
    }
    this.say(held, { message: ackOf(held, result), resolve: NOTHING, reject }, result === null)
  }

  nack(held: Held, failure: Failure): Promise<void> {
    return this.settle(held, [frame.NACK, held.tag, this.said(failure)])
  }

  reject(held: Held, failure: Failure): Promise<void> {
    return this.settle(held, [frame.REJECT, held.tag, this.said(failure)])
  }

  /** Within what the producer takes: better a part of a reason than a connection that breaks at it. */
  private said({ reason, stack, delay }: Failure): string {
    const most = Math.min(LONGEST_STACK, this.resultBytes / 8)
    return JSON.stringify({ reason: reason?.slice(0, most), stack: stack?.slice(0, most), delay })
  }

  private settle(held: Held, message: Frame[], inBatch = false): Promise<void> {
    if (!this.isOurs(held)) return Promise.reject(staleError(held.id))
    return new Promise((resolve, reject) => this.say(held, { message, resolve, reject }, inBatch))
  }

  private isOurs(held: Held): boolean {
    return this.held.has(held.tag) && !held.lost
  }

  /** How it ended; until the producer confirms that. */
  private say(held: Held, end: End, inBatch: boolean): void {
    const { tag } = held
    this.held.delete(tag)
    this.ends.set(tag, end)
    this.sink.onSettled(held)
    if (!this.isWelcome) return // It is said after WELCOME.
    if (!inBatch) this.contact.say(end.message)
    else if (this.acks.push(tag) === 1) void Promise.resolve().then(() => this.tellAcks())
  }

  private tellAcks(): void {
    if (this.acks.length > 0) this.contact.say([frame.ACK, this.acks.join(" ")])
    this.acks = []
  }

  private end(tag: string): End | undefined {
    const end = this.ends.get(tag)
    this.ends.delete(tag)
    if (this.ends.size === 0) for (const resolve of this.quiet.splice(0)) resolve()
    return end
  }

  private stale(tag: string): void {
    this.end(tag)?.reject(staleError(tag))
    const held = this.held.get(tag)
    if (held !== undefined) this.drop(held)
  }

  /** It is not ours any more. */
  drop(held: Held): void {
    this.held.delete(held.tag)
    held.lost = true
    held.abort?.abort(staleError(held.id))
    this.sink.onLost(held)
  }

  /** Those that were not begun are the producer's again. */
  giveBack(): void {
    const tags = [...this.held.values()].filter(({ begun }) => !begun).map(({ tag }) => tag)
    this.return(tags)
  }

  /** The same for one that has just come. */
  refuse({ tag }: Held): void {
    this.return([tag])
  }

  private return(tags: readonly string[]): void {
    for (const tag of tags) this.held.delete(tag)
    if (tags.length > 0 && this.isWelcome) this.contact.say([frame.RETURN, tags.join(" ")])
  }

  /** Resolves when the producer has confirmed everything that was said of jobs. */
  async confirmed(): Promise<void> {
    if (this.ends.size > 0) await new Promise<void>(resolve => this.quiet.push(resolve))
  }

  /** Leaves. What was not confirmed stays so: ECLOSED. */
  async close(): Promise<void> {
    this.closed = true
    for (const tag of [...this.ends.keys()]) {
      this.end(tag)!.reject(new PipelineError("ECLOSED", "closed before the producer confirmed it"))
    }
    for (const held of [...this.held.values()]) this.drop(held)
    await this.contact.close()
  }
}

export function staleError(id: string): PipelineError {
  return new PipelineError("ESTALE", `${id} is not in these hands: its lease has ended, or it was settled before`)
}

const NOTHING = () => {}

function ackOf({ tag }: Held, result: Uint8Array | null): Frame[] {
  return result === null ? [frame.ACK, tag] : [frame.ACK, tag, result]
}

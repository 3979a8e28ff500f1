/**
 * A consumer's side of one producer: one Dealer, and the rules of PROTOCOL.md from this end. Says HELLO until it is
 * welcome, keeps what it was given and what it has said of that until the producer has it on disk, says it again after
 * each new welcome, and connects anew when it hears nothing.
 */
import type { TypedRuntime } from "../typed/runtime.js"
import type { Sockets, TypedDealer } from "../typed/sockets.js"
import { SILENT_BEATS } from "./dispatcher.js"
import { PipelineError } from "./errors.js"
import { commandOf, countOf, type Frame, frame, objectOf, textOf, wordsOf } from "./frames.js"
import { Outbox } from "./outbox.js"

const OUTBOX = 20_000
/** Until a producer says how often it wants to hear from us, in ms. */
const FIRST_BEAT = 1000

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
  /** Its lease is over, or its producer does not know it any more. */
  onLost(held: Held): void
  onRefused(address: string, error: PipelineError): void
  onWelcome(address: string): void
}

export class Link {
  private dealer!: TypedDealer
  private outbox!: Outbox
  /** "": not welcome yet, or not any more. */
  private session = ""
  private n = 0
  private heard = 0
  private beat = FIRST_BEAT
  private lease = 0
  private prefetch = 0
  private timer: { cancel(): void } | null = null
  private closed = false
  private readonly held = new Map<string, Held>()
  private readonly ends = new Map<string, End>()
  /** Tags of ACKs without a result, to be said at the end of this turn. */
  private acks: string[] = []
  private quiet: (() => void)[] = []
  private reading: Promise<void> = Promise.resolve()

  constructor(
    readonly address: string,
    private readonly sockets: Sockets,
    private readonly options: object,
    private readonly runtime: TypedRuntime,
    private readonly terms: Terms,
    private readonly sink: LinkSink,
  ) {}

  get isWelcome(): boolean {
    return this.session !== ""
  }

  /** How many of those that we have are not settled. */
  get inHand(): number {
    return this.held.size
  }

  start(prefetch: number): void {
    this.prefetch = prefetch
    this.connect()
    this.tick()
  }

  setPrefetch(prefetch: number): void {
    this.prefetch = prefetch
    if (this.isWelcome) this.outbox.push([frame.CREDIT, String(prefetch)])
  }

  private connect(): void {
    const dealer = new this.sockets.Dealer({
      immediate: true,
      linger: 1000,
      receiveHighWaterMark: 16_384,
      ...this.options,
    })
    this.dealer = dealer
    // What a connection loses is said again: nothing depends on a single message.
    this.outbox = new Outbox(dealer, OUTBOX, () => {})
    dealer.connect(this.address)
    this.heard = this.runtime.clock.now()
    this.reading = this.read(dealer)
    this.hello()
  }

  private async read(dealer: TypedDealer): Promise<void> {
    for await (const message of dealer) {
      if (dealer !== this.dealer) return
      this.heard = this.runtime.clock.now()
      try {
        this.receive(message)
      } catch (error) {
        if (!(error instanceof PipelineError)) throw error
        this.sink.onRefused(this.address, error)
      }
    }
  }

  private hello(): void {
    this.session = ""
    const { consumer, group, bytes, concurrency } = this.terms
    const holding = [...this.held.keys(), ...this.ends.keys()]
    const said = { consumer, n: ++this.n, group, prefetch: this.prefetch, bytes, concurrency, holding }
    this.outbox.push([frame.HELLO, JSON.stringify(said)])
  }

  private tick(): void {
    if (this.closed) return
    const { clock } = this.runtime
    const now = clock.now()
    if (now - this.heard >= SILENT_BEATS * this.beat) {
      this.outbox.end()
      void this.dealer.close()
      this.connect()
    } else if (!this.isWelcome) {
      if (this.outbox.size === 0) this.hello()
    } else {
      if (this.outbox.size === 0) this.outbox.push([frame.PING])
      this.extendWaiting(now)
    }
    const pause = this.lease > 0 ? Math.min(this.beat, this.lease / 3) : this.beat
    this.timer = clock.after(pause, () => this.tick())
  }

  /** Leases are for work: those that wait to be begun have new ones. */
  private extendWaiting(now: number): void {
    const byLease = new Map<number, string[]>()
    for (const held of this.held.values()) {
      if (held.begun || held.ends - now > (held.lease * 2) / 3) continue
      held.ends = now + held.lease
      byLease.set(held.lease, [...(byLease.get(held.lease) ?? []), held.tag])
    }
    for (const [lease, tags] of byLease) this.outbox.push([frame.EXTEND, [lease, ...tags].join(" ")])
  }

  private receive(message: Buffer[]): void {
    const [first, what, more] = message
    switch (commandOf(first)) {
      case "JOB":
        this.job(objectOf(what), more)
        break
      case "DONE":
        for (const tag of wordsOf(what)) this.end(tag)?.resolve()
        break
      case "STALE":
        for (const tag of wordsOf(what)) this.stale(tag)
        break
      case "WELCOME":
        this.welcome(objectOf(what))
        break
      case "WHO":
        if (this.isWelcome) this.hello()
        break
      case "BYE":
        this.session = ""
        break
      case "PONG":
        break
      case "REFUSED": {
        const { code, message } = objectOf(what)
        const known = code === "EPROTO" || code === "ENOENT" ? code : "EINVAL"
        throw new PipelineError(known, `${this.address} refuses: ${message}`)
      }
      default:
        throw new PipelineError("EPROTO", `${this.address} does not speak this version of the pipeline protocol`)
    }
  }

  private welcome(said: Record<string, unknown>): void {
    if (said.n !== this.n) {
      // Of an earlier HELLO, which came late or twice: the producer takes it for our state.
      if (this.isWelcome) this.hello()
      return
    }
    this.session = textOf(said.session, "session", "")
    this.lease = countOf(said.lease, "lease", 30_000)
    this.beat = countOf(said.heartbeat, "heartbeat", FIRST_BEAT)
    const kept = new Set(Array.isArray(said.kept) ? said.kept : [])
    for (const tag of [...this.held.keys()]) {
      if (!kept.has(tag)) this.stale(tag)
    }
    this.acks = []
    for (const { message } of this.ends.values()) this.outbox.push(message)
    this.sink.onWelcome(this.address)
  }

  private job(head: Record<string, unknown>, body: Buffer | undefined): void {
    const tag = textOf(head.tag, "tag", "")
    if (!this.isWelcome) return
    if (!tag.startsWith(`${this.session}-`) || this.held.has(tag) || this.ends.has(tag) || this.closed) return
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
      ends: this.runtime.clock.now() + lease,
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
    const now = this.runtime.clock.now()
    if (held.ends - now < held.lease * 0.9) this.extend(held, held.lease)
  }

  extend(held: Held, ms: number): void {
    held.ends = this.runtime.clock.now() + ms
    this.outbox.push([frame.EXTEND, `${ms} ${held.tag}`])
  }

  progress(held: Held, body: Uint8Array): void {
    this.outbox.push([frame.PROGRESS, held.tag, body])
  }

  /** Done. Resolves when the producer has it on disk; ESTALE: it was not ours any more. */
  ack(held: Held, result: Uint8Array | null): Promise<void> {
    if (result !== null) return this.settle(held, [frame.ACK, held.tag, result])
    return this.settle(held, [frame.ACK, held.tag], true)
  }

  nack(held: Held, failure: { reason?: string; stack?: string; delay?: number }): Promise<void> {
    return this.settle(held, [frame.NACK, held.tag, JSON.stringify(failure)])
  }

  reject(held: Held, failure: { reason?: string; stack?: string }): Promise<void> {
    return this.settle(held, [frame.REJECT, held.tag, JSON.stringify(failure)])
  }

  private settle(held: Held, message: Frame[], inBatch = false): Promise<void> {
    const { tag } = held
    if (!this.held.delete(tag) || held.lost) return Promise.reject(staleError(held.id))
    this.sink.onSettled(held)
    return new Promise((resolve, reject) => {
      this.ends.set(tag, { message, resolve, reject })
      if (!this.isWelcome) return // It is said after WELCOME.
      if (!inBatch) this.outbox.push(message)
      else if (this.acks.push(tag) === 1) void Promise.resolve().then(() => this.tellAcks())
    })
  }

  private tellAcks(): void {
    if (this.acks.length > 0) this.outbox.push([frame.ACK, this.acks.join(" ")])
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
    for (const tag of tags) this.held.delete(tag)
    if (tags.length > 0 && this.isWelcome) this.outbox.push([frame.RETURN, tags.join(" ")])
  }

  /** Resolves when the producer has confirmed everything that was said of jobs. */
  async confirmed(): Promise<void> {
    if (this.ends.size > 0) await new Promise<void>(resolve => this.quiet.push(resolve))
  }

  /** Leaves. What was not confirmed stays so: ECLOSED. */
  async close(): Promise<void> {
    this.closed = true
    this.timer?.cancel()
    for (const tag of [...this.ends.keys()]) {
      this.end(tag)!.reject(new PipelineError("ECLOSED", "closed before the producer confirmed it"))
    }
    for (const held of [...this.held.values()]) this.drop(held)
    if (this.isWelcome) {
      this.outbox.push([frame.BYE])
      await this.outbox.empty()
    }
    this.outbox.end()
    await this.dealer.close()
    await this.reading
  }
}

function staleError(id: string): PipelineError {
  return new PipelineError("ESTALE", `${id} is not in these hands: its lease has ended, or it was settled before`)
}

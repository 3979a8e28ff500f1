/**
 * One Dealer to one peer that serves many, and what each of these has to do: say HELLO until it is welcome, be heard every
 * heartbeat, and connect anew when it hears nothing. Knows nothing of jobs and calls.
 */

import { peerFault, TypedError } from "./error.js"
import { Outbox } from "./outbox.js"
import { countOf, type Frame, objectOf, type Protocol, textOf } from "./protocol.js"
import type { Clock } from "./runtime.js"
import type { Sockets, TypedDealer } from "./sockets.js"

/** After so many heartbeats of silence a peer is dead. */
export const SILENT_BEATS = 3
const OUTBOX = 20_000
/** Until it says how often it wants to hear from us, in ms. */
const FIRST_BEAT = 1000
/** What is said last has so long to get to the socket, and from there to the peer, in ms each. */
const LINGER = 1000
/** Whatever it says. */
const LEAST_BEAT = 5

/** What every protocol with a contact has. */
type Known = "HELLO" | "WELCOME" | "WHO" | "PING" | "PONG" | "BYE" | "REFUSED"

export interface ContactSink<Command> {
  /** What HELLO says of us, besides its number. */
  introduce(): object
  /** We are known (again): what was under way is to be said again. */
  onWelcome(said: Record<string, unknown>): void
  /** Anything else that it says while we are welcome, or to those who are not yet. */
  onMessage(command: Exclude<Command, Known>, message: Buffer[]): void
  /** It does not want us, did not understand, or cannot be understood: EPROTO, EINVAL, or what it says. */
  onRefused(error: TypedError): void
  /** It leaves: nothing more comes of what was under way. */
  onBye(): void
  /** Some time has passed, and we are welcome. */
  onBeat(now: number): void
}

export class Contact<Command extends string> {
  private dealer!: TypedDealer
  private outbox!: Outbox
  private n = 0
  private heard = 0
  /** It was silent for too long, if there is nothing of it that we have not read. */
  private isSuspect = false
  private beat = FIRST_BEAT
  /** When the next tick is to come. */
  private due = 0
  private timer: { cancel(): void } | null = null
  private closed = false
  private reading: Promise<void> = Promise.resolve()
  /** Something could not be said: there has to be another welcome, behind which everything is said again. */
  private overflowed = false
  /** "": not welcome yet, or not any more. */
  session = ""
  /** `onBeat` comes at least so often, in ms. */
  pace = Number.POSITIVE_INFINITY

  constructor(
    readonly address: string,
    private readonly protocol: Protocol<Command | Known>,
    private readonly sockets: Sockets,
    private readonly options: object,
    private readonly clock: Clock,
    private readonly sink: ContactSink<Command | Known>,
  ) {}

  get isWelcome(): boolean {
    return this.session !== ""
  }

  start(): void {
    this.connect()
    this.schedule()
  }

  /** What a connection loses is to be said again after the next welcome: nothing depends on a single message. */
  say(message: Frame[]): void {
    if (!this.outbox.push(message)) this.overflowed = true
  }

  /** The same for what may be lost: it leaves room for what may not. */
  whisper(message: Frame[]): void {
    if (this.outbox.size < OUTBOX / 2) this.outbox.push(message)
  }

  private connect(): void {
    const dealer = new this.sockets.Dealer({
      immediate: true,
      linger: LINGER,
      receiveHighWaterMark: 16_384,
      ...this.options,
    })
    this.dealer = dealer
    this.outbox = new Outbox(dealer, OUTBOX, () => {})
    try {
      dealer.connect(this.address)
    } catch (error) {
      void dealer.close()
      throw error
    }
    this.heard = this.clock.now()
    this.reading = this.read(dealer)
    this.hello()
  }

  private async read(dealer: TypedDealer): Promise<void> {
    for await (const message of dealer) {
      if (dealer !== this.dealer) return
      this.heard = this.clock.now()
      try {
        this.receive(message)
      } catch (error) {
        this.sink.onRefused(peerFault(error))
      }
    }
  }

  private receive(message: Buffer[]): void {
    const command = this.protocol.commandOf(message[0])
    switch (command) {
      case "WELCOME":
        this.welcome(objectOf(message[1]))
        break
      case "WHO":
        if (this.isWelcome) this.hello()
        break
      case "BYE":
        this.session = ""
        this.sink.onBye()
        break
      case "PONG":
        break
      case "REFUSED": {
        const { code, message: text } = objectOf(message[1])
        throw new TypedError(textOf(code, "code", "EINVAL"), `${this.address} refuses: ${textOf(text, "message", "")}`)
      }
      case null:
        throw new TypedError("EPROTO", `${this.address} does not speak ${this.protocol.version}`)
      default:
        this.sink.onMessage(command as Exclude<Command, Known>, message)
    }
  }

  private hello(): void {
    this.session = ""
    this.overflowed = false
    this.say([this.protocol.frame.HELLO, JSON.stringify({ n: ++this.n, ...this.sink.introduce() })])
  }

  private welcome(said: Record<string, unknown>): void {
    if (said.n !== this.n) {
      // Of an earlier HELLO, which came late or twice: the other side takes it for our state.
      if (this.isWelcome) this.hello()
      return
    }
    // It came twice: a second session would be of numbers that are taken.
    if (this.isWelcome) return
    this.beat = countOf(said.heartbeat, "heartbeat", FIRST_BEAT)
    this.session = textOf(said.session, "session", "")
    try {
      this.sink.onWelcome(said)
    } catch (error) {
      this.session = "" // What cannot be understood is no welcome.
      throw error
    }
    // Its heartbeat may be shorter than what we had in mind.
    this.timer?.cancel()
    if (!this.closed) this.schedule()
  }

  private tick(): void {
    if (this.closed) return
    const now = this.clock.now()
    // This process was stalled for so long: that is nobody's silence, and nobody could be heard.
    if (now - this.due > this.beat) this.heard = Math.min(now, this.heard + now - this.due)
    if (now - this.heard < SILENT_BEATS * this.beat) this.isSuspect = false
    else if (!this.isSuspect) {
      // Perhaps it is we who were stalled: what has come meanwhile is read first.
      this.isSuspect = true
      this.due = now
      this.timer = this.clock.after(0, () => this.tick())
      return
    }
    if (this.isSuspect) {
      this.isSuspect = false
      this.outbox.end()
      void this.dealer.close()
      this.connect()
    } else if (!this.isWelcome) {
      if (this.outbox.size === 0) this.hello()
    } else if (this.overflowed && this.outbox.size === 0) {
      this.hello()
    } else {
      if (this.outbox.size === 0) this.say([this.protocol.frame.PING])
      this.sink.onBeat(now)
    }
    this.schedule()
  }

  private schedule(): void {
    const pause = Math.max(LEAST_BEAT, Math.min(this.beat, this.pace))
    this.due = this.clock.now() + pause
    this.timer = this.clock.after(pause, () => this.tick())
  }

  /** Says BYE, if somebody knows us, and leaves. */
  async close(): Promise<void> {
    this.closed = true
    this.timer?.cancel()
    if (this.isWelcome) {
      this.say([this.protocol.frame.BYE])
      // Who is gone without a word lets it wait.
      await new Promise<void>(resolve => {
        const timer = this.clock.after(LINGER, resolve)
        void this.outbox.empty().then(() => {
          timer.cancel()
          resolve()
        })
      })
    }
    this.session = ""
    this.outbox.end()
    await this.dealer.close()
    await this.reading
  }
}

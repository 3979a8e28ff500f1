/**
 * A proxy: what one socket receives the other one sends, both ways (zmq_proxy). Each direction is a loop of its own that
 * waits until there is something to take *and* room for it on the far side, without taking anything, as libzmq polls; then
 * it moves messages one after the other, without a promise for each, until either is over. So a message is not taken before
 * it can be passed on, what is not taken stays in the marks of the near socket and holds back its peers, and pausing or
 * ending loses nothing that was taken. Only where a socket cannot tell whether there is room for this very message (marks in
 * bytes, `mandatory` of a ROUTER) one message is held and sent as `send` does, waiting.
 */
import { hideInsides, type Message, type SocketUser, sizeOf, ZmqError } from "../../src/index.js"
import { Socket, type Writable } from "../socket.js"

/** What went through one of the sockets of a proxy, since it runs. Bytes are those of all frames. */
export interface ProxyTraffic {
  /** Received from this socket. */
  messagesIn: number
  bytesIn: number
  /** Sent on this socket. */
  messagesOut: number
  bytesOut: number
}

/** What {@link Proxy.statistics} tells. */
export interface ProxyStatistics {
  frontEnd: ProxyTraffic
  backEnd: ProxyTraffic
}

/** Most messages in one go. */
const BURST = 256
/** Messages that count as one operation, in the turn of the event loop; and bytes, as a power of two. */
const COST_SHIFT = 3
const BYTES_COST_SHIFT = 14

/**
 * Passes messages between two sockets, in both directions: ROUTER and DEALER, XSUB and XPUB, PULL and PUSH. The two sides
 * differ by name only.
 */
export class Proxy<F extends Socket = Socket, B extends Socket = Socket> implements SocketUser {
  private state: "new" | "running" | "ending" | "ended" = "new"
  /** While the proxy is paused: what its loops wait for, and how to end that. */
  private paused: { readonly over: Promise<void>; readonly end: () => void } | null = null
  /** Messages that were taken and wait for room. */
  private held = 0
  /** A copy that waits for room. */
  private copying: Promise<void> | null = null
  private readonly givingUp = new AbortController()
  private readonly atFront: ProxyTraffic = { messagesIn: 0, bytesIn: 0, messagesOut: 0, bytesOut: 0 }
  private readonly atBack: ProxyTraffic = { messagesIn: 0, bytesIn: 0, messagesOut: 0, bytesOut: 0 }
  private readonly front: F
  private readonly back: B
  private readonly copies: Writable | null

  /**
   * `capture` is sent a copy of every message that passes, either way: a PUB, PUSH, DEALER or PAIR. Where it waits for room,
   * so does the proxy. It stays open when the proxy ends; when it is closed, the proxy goes on without it.
   * TypeError for anything but sockets.
   */
  constructor(frontEnd: F, backEnd: B, capture?: Socket) {
    if (!(frontEnd instanceof Socket)) throw new TypeError("Front-end must be a socket object")
    if (!(backEnd instanceof Socket)) throw new TypeError("Back-end must be a socket object")
    if (capture !== undefined && !(capture instanceof Socket && "send" in capture)) {
      throw new TypeError("Capture must be a socket object that sends")
    }
    this.front = frontEnd
    this.back = backEnd
    this.copies = (capture as Writable | undefined) ?? null
  }

  get frontEnd(): F {
    return this.front
  }

  get backEnd(): B {
    return this.back
  }

  /**
   * Passes messages until {@link terminate}, or until one of the two sockets is closed; then closes both, as their `linger`
   * says, and resolves. Throws EINVAL unless both are bound or connected, EBUSY when one of them belongs to a proxy that
   * runs. Rejects, with both sockets closed, when one refuses a message: EHOSTUNREACH of a `mandatory` ROUTER.
   */
  run(): Promise<void> {
    const { front, back } = this
    if (front.closed || !front.attached) throw notAttached("front-end")
    if (back.closed || !back.attached) throw notAttached("back-end")
    if (front.user !== null || back.user !== null) {
      throw new ZmqError("EBUSY", { detail: "the socket belongs to a proxy that runs" })
    }
    front.user = back.user = this
    this.state = "running"
    return this.carryBothWays()
  }

  /** Takes no more messages until {@link resume}; peers wait as their marks allow. EBADF unless the proxy runs. */
  pause(): void {
    this.checkRunning()
    if (this.paused !== null) return
    let end = () => {}
    const over = new Promise<void>(resolve => {
      end = resolve
    })
    this.paused = { over, end }
  }

  /** Goes on after {@link pause}. EBADF unless the proxy runs. */
  resume(): void {
    this.checkRunning()
    this.paused?.end()
    this.paused = null
  }

  /**
   * Takes no more messages, closes both sockets and lets {@link run} resolve. A message that waits for room is waited for,
   * as long as the sockets' `linger` says. EBADF unless the proxy runs.
   */
  terminate(): void {
    this.checkRunning()
    if (this.state === "ending") return
    this.state = "ending"
    const lingers = [this.front.linger, this.back.linger]
    if (this.held === 0) this.end()
    else if (!lingers.includes(-1)) {
      const limit = this.front.context.core.runtime.after(Math.max(...lingers), () => this.end())
      this.givingUp.signal.addEventListener("abort", () => limit.cancel())
    }
  }

  /** What has passed so far, as libzmq's STATISTICS has it. Can be read at any time. */
  statistics(): ProxyStatistics {
    return { frontEnd: { ...this.atFront }, backEnd: { ...this.atBack } }
  }

  /** @internal */
  socketClosed(): void {
    this.end()
  }

  private checkRunning(): void {
    if (this.state === "new" || this.state === "ended")
      throw new ZmqError("EBADF", { detail: "the proxy does not run" })
  }

  private async carryBothWays(): Promise<void> {
    const { front, back } = this
    const { core } = front.context
    core.hold()
    try {
      const ways = [this.carry(front, back, this.atFront, this.atBack)]
      if ((front as Socket) !== back) ways.push(this.carry(back, front, this.atBack, this.atFront))
      await Promise.all(ways)
    } finally {
      this.end()
      core.release()
    }
  }

  /** Closes the sockets, which wakes whoever waits for them. */
  private end(): void {
    if (this.state === "ended") return
    this.state = "ended"
    this.paused?.end()
    this.givingUp.abort()
    const { front, back } = this
    front.user = back.user = null
    void front.close()
    void back.close()
  }

  private async carry(near: Socket, far: Socket, from: ProxyTraffic, to: ProxyTraffic): Promise<void> {
    const { turn } = near.context.core
    while (this.state === "running") {
      if (this.paused !== null) await this.paused.over
      else if (!turn.open) await turn.later()
      else if (!near.readable) await near.whenReadable()
      // One socket for both sides is not asked: a REP has room for a reply only once it has taken the request (libzmq).
      else if (far !== near && !far.writable) await far.whenWritable()
      else if (this.copying !== null) {
        await this.copying
        this.copying = null
      } else if (this.captureIsFull) await this.roomForCopies()
      else {
        const before = from.bytesIn
        const held = this.burst(near, far, from, to)
        turn.spend((from.bytesIn - before) >> BYTES_COST_SHIFT)
        if (held !== null) await this.giveHeld(held, far, to)
        else if (far.congested || this.copies?.congested) await turn.pause()
      }
    }
  }

  /** Moves what can be moved now. Returns a message that was taken and has to wait. */
  private burst(near: Socket, far: Socket, from: ProxyTraffic, to: ProxyTraffic): Message | null {
    const capture = this.copies
    let count = 0
    let held: Message | null = null
    while (count < BURST) {
      const message = near.receiveNow()
      if (message === undefined) break
      count++
      const size = sizeOf(message)
      from.messagesIn++
      from.bytesIn += size
      if (capture !== null && !capture.closed) this.copy(message, capture)
      if (!far.sendNow(message)) {
        held = message
        break
      }
      to.messagesOut++
      to.bytesOut += size
      if (!far.writable || far.congested || this.copying !== null || this.captureIsFull) break
    }
    near.context.core.turn.spend(1 + (count >> COST_SHIFT))
    return held
  }

  private async roomForCopies(): Promise<void> {
    const { signal } = this.givingUp
    await this.copies?.whenWritable(signal).catch(error => {
      if (!signal.aborted) throw error
    })
  }

  private get captureIsFull(): boolean {
    const capture = this.copies
    return capture !== null && !capture.closed && !capture.writable
  }

  /** The array of a message goes to whoever it is sent to, who may change it: so the copy is an array of its own. */
  private copy(message: Message, capture: Writable): void {
    const own = message.slice()
    if (capture.sendNow(own)) return
    const { signal } = this.givingUp
    this.copying = capture.send(own as Buffer[], { timeout: -1, signal }).catch(error => {
      if (!capture.closed && !signal.aborted) throw error
    })
    this.copying.catch(() => {}) // The loop that waits for it rejects; when none does any more, nobody has to.
  }

  /** Sends a message that has to wait, in line with other sends. */
  private async giveHeld(message: Message, far: Socket, to: ProxyTraffic): Promise<void> {
    const size = sizeOf(message)
    this.held++
    try {
      await (far as Writable).send(message as Buffer[], { timeout: -1 })
      to.messagesOut++
      to.bytesOut += size
    } catch (error) {
      // Closed meanwhile: the message goes as those do that the near socket still had.
      if (!far.closed) throw error
    } finally {
      this.held--
      if (this.state === "ending" && this.held === 0) this.end()
    }
  }
}

hideInsides(Proxy)

function notAttached(side: string): ZmqError {
  return new ZmqError("EINVAL", { detail: `the ${side} socket must be bound or connected` })
}

/**
 * PING and PONG (37/ZMTP, heartbeating): when to send a PING, and when to give the peer up. Any frame that arrives is a
 * sign of life. Times are in milliseconds and come as arguments.
 */

export interface HeartbeatOptions {
  /** Between two PINGs; 0: none are sent. */
  heartbeatInterval: number
  /** How long the peer may be silent after a PING; -1: as long as the interval; 0: for ever. */
  heartbeatTimeout: number
  /** What a PING tells the peer: give me up after so long a silence. 0: nothing. */
  heartbeatTimeToLive: number
}

const NEVER = Number.POSITIVE_INFINITY
/** A PING's time to live travels in tenths of a second; libzmq keeps it in 16 bits of milliseconds, so more would wrap. */
const MAX_TTL = 655
const MAX_CONTEXT = 16
const PING_DATA = 7

export class Heartbeat {
  private pingAt = NEVER
  /** When the peer is given up: after our PING, and after its own PING's time to live. */
  private pongBy = NEVER
  private aliveBy = NEVER

  constructor(private readonly options: HeartbeatOptions) {}

  /** From the end of the handshake on. */
  start(now: number): void {
    if (this.options.heartbeatInterval > 0) this.pingAt = now + this.options.heartbeatInterval
  }

  /** Something came from the peer. */
  heard(): void {
    this.pongBy = this.aliveBy = NEVER
  }

  /** A PING came: notes its time to live and returns the body of the PONG; null when it is malformed. */
  pong(ping: Uint8Array, now: number): Uint8Array | null {
    if (ping.length < PING_DATA) return null
    const ttl = ((ping[5]! << 8) | ping[6]!) * 100
    if (ttl > 0) this.aliveBy = now + ttl
    const context = ping.subarray(PING_DATA, PING_DATA + MAX_CONTEXT)
    const body = new Uint8Array(5 + context.length)
    body.set([4, 0x50, 0x4f, 0x4e, 0x47])
    body.set(context, 5)
    return body
  }

  /** The body of a PING when one is due, else null. */
  ping(now: number): Uint8Array | null {
    const { heartbeatInterval: interval, heartbeatTimeout, heartbeatTimeToLive } = this.options
    if (now < this.pingAt) return null
    this.pingAt = now + interval
    const timeout = heartbeatTimeout < 0 ? interval : heartbeatTimeout
    if (timeout > 0 && this.pongBy === NEVER) this.pongBy = now + timeout
    const ttl = Math.min(MAX_TTL, Math.floor(heartbeatTimeToLive / 100))
    return new Uint8Array([4, 0x50, 0x49, 0x4e, 0x47, ttl >> 8, ttl & 0xff])
  }

  /** The peer was silent for too long. */
  expired(now: number): boolean {
    return now >= this.pongBy || now >= this.aliveBy
  }

  /** When to look again. */
  next(): number {
    return Math.min(this.pingAt, this.pongBy, this.aliveBy)
  }
}

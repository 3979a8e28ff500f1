/**
 * One endpoint of datagrams: of a RADIO, which sends to one place, of a DISH, which hears what is sent to one, or of a
 * DGRAM, for both. It has one pipe from its beginning to its end, as nobody comes and goes. Nothing slows a sender down
 * but his own machine: what that does not take waits in the pipe up to its mark. What comes for a full pipe is dropped,
 * and counted.
 */
import { ZmqError } from "../errors.js"
import { type Bytes, keep, type Message, sizeOf } from "../message.js"
import type { Drain } from "../pipe/pipe.js"
import type { DatagramPort, DatagramTransport, PortSink } from "../transport/datagram.js"
import { LONGEST_GROUP_DATAGRAM, packedSize, packGroup, unpackGroup } from "../wire/group-datagram.js"
import { type BindingUser, type ConnectionHost, type EndpointOptions, owes, type Role } from "./connection-host.js"
import { retryInterval } from "./dialer.js"
import type { Link, LinkOwner, Place } from "./link.js"
import type { Timer } from "./runtime.js"

/** Messages wait in the pipe while the operating system has not taken so many bytes, or has not said so of so many datagrams. */
const MOST_UNSENT = 256 * 1024
const MOST_UNDERWAY = 4096

const decoder = new TextDecoder()

export class UdpEndpoint implements BindingUser, LinkOwner, Drain, PortSink, Place {
  wanted: ((message: Message) => boolean) | null = null
  private readonly link: Link
  /** Its messages are an address and a datagram. */
  private readonly raw: boolean
  private port: DatagramPort | null = null
  private attempts = 0
  private retry: Timer | null = null
  /** Datagrams of which the port has not told yet what became of them. */
  private underway = 0
  private sending = false
  private done: (() => void) | null = null
  private over = false

  constructor(
    private readonly host: ConnectionHost,
    private readonly transport: DatagramTransport,
    private readonly address: string,
    public endpoint: string,
    private readonly options: EndpointOptions,
    readonly role: Role,
  ) {
    this.raw = options.type === "DGRAM"
    this.link = host.createLink(endpoint, this)
    this.link.place = this
    this.link.pipe.drain = this
  }

  goesBy(endpoint: string): boolean {
    return endpoint === this.endpoint
  }

  get links(): Iterable<Link> {
    return [this.link]
  }

  get pending(): boolean {
    return !this.over && owes(this.link.pipe)
  }

  async start(): Promise<void> {
    try {
      this.bound(await this.transport.bind(this.address, this.options, this))
    } catch (cause) {
      throw this.refused(cause)
    }
  }

  startSync(): void {
    try {
      this.bound(this.transport.bindSync(this.address, this.options, this))
    } catch (cause) {
      throw this.refused(cause)
    }
  }

  /** Sends as soon as the address is known. */
  connect(): void {
    if (this.host.attach(this.link)) this.open()
    else this.conclude()
  }

  close(done: () => void): void {
    this.done = done
    if (this.over) {
      done()
      return
    }
    this.pull()
    this.finishIfDone()
  }

  abort(): void {
    this.conclude()
  }

  /** There is nobody to part from. */
  cut(): void {}

  finish(): void {}

  flushNow(): void {
    this.pull()
  }

  marksChanged(): void {
    this.link.pipe.outbound.setMarks(this.host.marks.out)
    this.link.pipe.inbound.setMarks(this.host.marks.in)
  }

  // For the pattern

  check(message: Message): void {
    const size = this.raw ? message[1]!.length : packedSize(message)
    const most = this.raw ? this.transport.longest : LONGEST_GROUP_DATAGRAM
    if (size > most) {
      throw new ZmqError("EMSGSIZE", {
        address: this.endpoint,
        detail: `a datagram takes ${most} bytes, and these are ${size}`,
      })
    }
    if (this.raw) this.port?.check(decoder.decode(message[0]))
  }

  // From the pipe

  take(message: Message): boolean {
    const { port } = this
    if (port === null || this.sending || this.link.pipe.outbound.length > 0 || !this.hasRoom(port)) return false
    if (this.raw) keep(message, this.host.context.bytes)
    this.send(port, message)
    return true
  }

  pull(): void {
    const { port } = this
    if (port === null || this.sending) return
    // While one is out of the queue and not sent yet, nothing may pass it.
    this.sending = true
    while (this.hasRoom(port)) {
      const message = this.link.pipe.outbound.shift()
      if (message === undefined) break
      this.send(port, message)
    }
    this.sending = false
  }

  // From the port

  onSent(error: Error | null): void {
    const { pipe } = this.link
    this.underway--
    if (error !== null) {
      this.host.context.runtime.debug("%s lost a datagram: %s", this.endpoint, error.message)
      pipe.counters.drop("unroutable")
    }
    pipe.onWritten(1)
    this.pull()
    this.finishIfDone()
  }

  onDatagram(datagram: Uint8Array, from: string): void {
    const { pipe } = this.link
    const { bytes, turn } = this.host.context
    turn.refresh()
    const message = this.raw
      ? [ascii(from, bytes), bytes.view(datagram.buffer, datagram.byteOffset, datagram.length)]
      : unpackGroup(datagram, bytes)
    if (message === null || this.isTooLong(message)) pipe.counters.drop("malformed")
    else if (this.wanted !== null && !this.wanted(message)) pipe.counters.drop("filtered")
    else if (!pipe.inbound.hasRoom(sizeOf(message))) pipe.counters.drop("full")
    else {
      pipe.deliver(message, sizeOf(message))
      pipe.announce()
    }
  }

  onError(error: Error): void {
    this.host.context.runtime.debug("%s: %s", this.endpoint, error.message)
  }

  private hasRoom(port: DatagramPort): boolean {
    return this.underway < MOST_UNDERWAY && port.queuedBytes < MOST_UNSENT
  }

  private send(port: DatagramPort, message: Message): void {
    this.underway++
    if (this.raw) port.send(message[1]!, decoder.decode(message[0]))
    else port.send(packGroup(message, this.host.context.bytes), null)
  }

  private isTooLong(message: Message): boolean {
    const { maxMessageSize } = this.options
    return maxMessageSize >= 0 && message[1]!.length > maxMessageSize
  }

  private bound(port: DatagramPort): void {
    this.port = port
    this.endpoint = this.link.endpoint = port.endpoint
    if (!this.host.attach(this.link)) {
      port.close()
      throw new ZmqError("EINVAL", { address: this.endpoint, detail: "expected one endpoint for this type of socket" })
    }
    this.host.context.runtime.debug("%s bound", this.endpoint)
    this.host.emit("bind", { address: this.endpoint })
  }

  private refused(cause: unknown): ZmqError {
    const error = ZmqError.from(cause, this.endpoint)
    this.host.emit("bind:error", { address: this.endpoint, error })
    return error
  }

  private open(): void {
    this.retry = null
    this.transport.connect(this.address, this.options, this).then(
      port => this.opened(port),
      error => this.failed(error),
    )
  }

  private opened(port: DatagramPort): void {
    if (this.over) {
      port.close()
      return
    }
    this.port = port
    this.host.emit("connect", { address: this.endpoint })
    this.pull()
    this.finishIfDone()
  }

  /** A name that is not known now, or an interface that is not there, may be later. */
  private failed(error: Error): void {
    if (this.over) return
    const { runtime } = this.host.context
    runtime.debug("%s cannot be sent to: %s", this.endpoint, error.message)
    this.host.emit("close", { address: this.endpoint })
    if (this.options.reconnectInterval <= 0) {
      this.conclude()
      return
    }
    const interval = retryInterval(this.options, this.attempts++, runtime)
    this.host.emit("connect:retry", { address: this.endpoint, interval })
    this.retry = runtime.after(interval, () => this.open())
  }

  private finishIfDone(): void {
    if (this.done !== null && !this.pending) this.conclude()
  }

  private conclude(): void {
    if (this.over) return
    this.over = true
    this.retry?.cancel()
    const { link, port, underway } = this
    const { pipe } = link
    pipe.drain = null
    pipe.dropOutbound("closed")
    pipe.counters.drop("closed", underway)
    if (underway > 0) pipe.onWritten(underway)
    port?.close()
    this.port = null
    if (this.role === "bound") this.host.emit("close", { address: this.endpoint })
    this.host.ended(link)
    this.done?.()
  }
}

/** An address as a frame. */
function ascii(text: string, bytes: Bytes): Uint8Array {
  const frame = bytes.alloc(text.length)
  for (let i = 0; i < text.length; i++) frame[i] = text.charCodeAt(i)
  return frame
}

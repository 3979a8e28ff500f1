/**
 * The contract of a transport that carries datagrams: single pieces of bytes that come whole, or not at all, in any order,
 * from whoever sends them. There are no connections and no streams; one port sends and receives.
 */

export interface DatagramOptions {
  readonly ipv6: boolean
  /** Networks that a multicast datagram may pass, 1 being the own one; more than 255 count as 255. */
  readonly multicastHops: number
  /** Whether this machine hears the multicast datagrams that it sends. */
  readonly multicastLoop: boolean
  /** Bytes for the operating system's buffers; 0 and below leave them as they are. */
  readonly sendBufferSize: number
  readonly receiveBufferSize: number
}

/** What a port tells. */
export interface PortSink {
  /** A datagram came from the address `from`, such as `127.0.0.1:5555`. The bytes are the receiver's, and may be kept. */
  onDatagram(bytes: Uint8Array, from: string): void
  /** A datagram was handed to the operating system, or is lost by the error. Once for each one, in a later callback. */
  onSent(error: Error | null): void
  /** Receiving failed; the port goes on. */
  onError(error: Error): void
}

export interface DatagramPort {
  /** Where it receives, with a port that was left open resolved; where it sends, for one that only sends. */
  readonly endpoint: string
  /** Bytes of datagrams that the operating system has not taken yet. */
  readonly queuedBytes: number
  /** Throws EINVAL for what is not an address that datagrams can be sent to from here. */
  check(to: string): void
  /** Sends to an address that was checked; null: to the one that it was connected to. The bytes must not change until onSent. */
  send(bytes: Uint8Array, to: string | null): void
  /** Closes now; what waits is lost, and nothing is told any more. Idempotent. */
  close(): void
}

export interface DatagramTransport {
  readonly scheme: string
  /** Most bytes in one datagram. */
  readonly longest: number
  /** Checks an address to send to with these options, without looking anything up; throws EINVAL or ENODEV. */
  check(address: string, options: DatagramOptions): void
  /** Opens a port that sends to this address. Rejects with what keeps it from that now. */
  connect(address: string, options: DatagramOptions, sink: PortSink): Promise<DatagramPort>
  /** Opens a port that receives at this address. Rejects with a code such as EINVAL, ENODEV, EADDRINUSE, EADDRNOTAVAIL. */
  bind(address: string, options: DatagramOptions, sink: PortSink): Promise<DatagramPort>
  /** The same at once. Throws these codes, and ENOTSUP for what takes time here. */
  bindSync(address: string, options: DatagramOptions, sink: PortSink): DatagramPort
}

/**
 * A stream's sink that writes down what it is told, and complains about what the contract rules out: bytes before the
 * stream is open, anything after it closed or was destroyed by us, a second end.
 */
import { createHash } from "node:crypto"
import { expect, onTestFinished } from "vitest"
import type { ByteStream, Listener, StreamSink, Transport, TransportOptions } from "../../src/transport/transport.js"
import { authority } from "../support/certificates.js"
import { eventually } from "../support/eventually.js"

export const OPTIONS: TransportOptions = {
  ipv6: false,
  backlog: 1024,
  tcpKeepalive: -1,
  tcpKeepaliveIdle: -1,
  acceptFilter: null,
  socksProxy: null,
  socksUsername: null,
  socksPassword: null,
  tlsHostname: null,
  tlsRequireClientCert: false,
  tlsMinVersion: "TLSv1.2",
  credentials: { certificate: null, key: null, trust: null },
}

const home = authority()
const { cert: certificate, key } = home.issue({ hosts: ["127.0.0.1"] })
export const TLS_OPTIONS: TransportOptions = { ...OPTIONS, credentials: { certificate, key, trust: home.cert } }

type CodedError = Error & { code?: string }

export class Recorder implements StreamSink {
  opened = false
  drained = 0
  /** What came, unless `keeps` is off: then only its size and hash are kept. */
  readonly chunks: Uint8Array[] = []
  size = 0
  keeps = true
  /** Undefined while the stream is not closed. */
  closed: CodedError | null | undefined = undefined
  /** Calls that the contract does not allow. */
  readonly wrong: string[] = []
  /** Called for each chunk, after it was written down. */
  onChunk: (chunk: Uint8Array) => void = () => {}
  private readonly hash = createHash("sha1")
  private destroyed = false

  constructor(readonly stream: ByteStream) {
    stream.sink = this
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString()
  }

  /** The hash of all that came. Once. */
  digest(): string {
    return this.hash.digest("hex")
  }

  write(text: string): void {
    this.stream.write(Buffer.from(text))
  }

  /** Destroys the stream; from here on nothing may be told. */
  destroy(): void {
    this.destroyed = true
    this.stream.destroy()
  }

  onOpen(): void {
    this.check("onOpen", !this.opened)
    this.opened = true
  }

  onBytes(chunk: Uint8Array): void {
    this.check("onBytes", this.opened)
    this.size += chunk.length
    if (this.keeps) this.chunks.push(chunk)
    else this.hash.update(chunk)
    this.onChunk(chunk)
  }

  onDrained(): void {
    this.check("onDrained", this.opened)
    this.check("onDrained with bytes queued", this.stream.queuedBytes === 0)
    this.drained++
  }

  onClosed(error: Error | null): void {
    this.check("onClosed", true)
    this.closed = error
  }

  private check(call: string, legal: boolean): void {
    if (!legal || this.destroyed || this.closed !== undefined) this.wrong.push(call)
  }
}

/** What streams are tried with: those of TLS with a certificate that both sides trust. */
function optionsFor({ scheme }: Transport): TransportOptions {
  return scheme === "tls+tcp" ? TLS_OPTIONS : OPTIONS
}

/** Connects, and ends with the test. */
export function dial(transport: Transport, endpoint: string, options = optionsFor(transport)): Recorder {
  const recorder = new Recorder(transport.connect(addressOf(endpoint), options))
  onTestFinished(() => {
    recorder.stream.destroy()
    expect(recorder.wrong).toEqual([])
  })
  return recorder
}

export interface Hearing {
  readonly listener: Listener
  /** The streams that were accepted, in their order; opened at once. */
  readonly accepted: Recorder[]
}

/** Listens until the test ends. `onAccepted` sees each stream before it is opened. */
export async function hear(
  transport: Transport,
  address: string,
  { options = optionsFor(transport), onAccepted = (_: Recorder) => {} } = {},
): Promise<Hearing> {
  const accepted: Recorder[] = []
  const listener = await transport.listen(address, options, {
    onStream(stream) {
      const recorder = new Recorder(stream)
      accepted.push(recorder)
      onAccepted(recorder)
      stream.open()
    },
    onError(error) {
      throw error
    },
  })
  onTestFinished(() => {
    listener.close()
    for (const { stream, wrong } of accepted) {
      stream.destroy()
      expect(wrong).toEqual([])
    }
  })
  return { listener, accepted }
}

/** Two ends of one connection, both open. */
export async function meet(transport: Transport, address: string, options = optionsFor(transport)) {
  const hearing = await hear(transport, address, { options })
  const client = dial(transport, hearing.listener.endpoint, options)
  await eventually(() => client.opened && hearing.accepted[0]?.opened)
  return { ...hearing, client, server: hearing.accepted[0]! }
}

/** What stands behind `scheme://`. */
export function addressOf(endpoint: string): string {
  return endpoint.slice(endpoint.indexOf("://") + 3)
}

export const MIB = 1024 * 1024

/** Bytes that differ from each other and from chunk to chunk. */
export function pattern(size: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(size)
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + seed) & 0xff
  return bytes
}

/**
 * SOCKS5 (RFC 1928; user name and password: RFC 1929) for connections that are made by a proxy. A machine without I/O says
 * what to send and reads what the proxy answers, cut anywhere; what follows its last answer is the peer's. Names go to
 * the proxy as they are, which looks them up. {@link SocksStream} is a stream that opens when the proxy has connected.
 */
import { isIPv4, isIPv6, type Socket } from "node:net"
import { ZmqError } from "../errors.js"
import { type Ends, NetStream } from "./net-stream.js"

const VERSION = 5
const NO_AUTHENTICATION = 0
const PASSWORD = 2
const PASSWORD_VERSION = 1
const CONNECT = 1
const IPV4 = 1
const NAME = 3
const IPV6 = 4
/** Of an answer to CONNECT: version, reply, reserved, kind of address, and the first byte of that. */
const REPLY_HEAD = 5

/** Characters of a host that fit into a request. */
export const LONGEST_NAME = 255

/** What a proxy answers instead of connecting, as the code that a connection of our own would have failed with. */
const REPLIES: Record<number, readonly [code: string, text: string]> = {
  1: ["ECONNABORTED", "general failure"],
  2: ["EACCES", "not allowed by its rules"],
  3: ["ENETUNREACH", "network unreachable"],
  4: ["EHOSTUNREACH", "host unreachable"],
  5: ["ECONNREFUSED", "connection refused"],
  6: ["ETIMEDOUT", "time to live expired"],
  7: ["ENOTSUP", "command not supported"],
  8: ["EAFNOSUPPORT", "kind of address not supported"],
}

/** Where the proxy is to connect to, and who asks. */
export interface SocksRequest {
  readonly host: string
  readonly port: number
  /** Empty: no authentication. */
  readonly username: string
  readonly password: string
}

enum State {
  Method,
  Password,
  Reply,
  Done,
}

export class SocksHandshake {
  private state = State.Method
  /** What came of the answer that is due, and how long that is so far. */
  private readonly answer = Buffer.alloc(REPLY_HEAD + LONGEST_NAME + 2)
  private filled = 0
  private due = 2

  constructor(private readonly request: SocksRequest) {}

  get done(): boolean {
    return this.state === State.Done
  }

  /** What opens the conversation: the one way to authenticate that is wanted. */
  start(): Uint8Array {
    return Buffer.of(VERSION, 1, this.method)
  }

  /** Takes bytes of the proxy from `from` on; `send` gets what to answer. Returns how far it came. Throws a ZmqError for a refusal. */
  receive(chunk: Uint8Array, from: number, send: (bytes: Uint8Array) => void): number {
    let at = from
    while (at < chunk.length && this.state !== State.Done) {
      const take = Math.min(chunk.length - at, this.due - this.filled)
      this.answer.set(chunk.subarray(at, at + take), this.filled)
      this.filled += take
      at += take
      if (this.filled < this.due) break
      const next = this.proceed()
      if (next !== null) send(next)
    }
    return at
  }

  private get method(): number {
    return this.request.username === "" ? NO_AUTHENTICATION : PASSWORD
  }

  /** The answer is whole, as far as its length is known. Returns what to send now. */
  private proceed(): Uint8Array | null {
    const { answer } = this
    switch (this.state) {
      case State.Method:
        if (answer[0] !== VERSION) throw failed("EPROTO", `version ${answer[0]} instead of ${VERSION}`)
        if (answer[1] !== this.method) throw failed("EACCES", `method ${answer[1]} instead of ${this.method}`)
        if (this.method === NO_AUTHENTICATION) return this.expect(State.Reply, REPLY_HEAD, encodeConnect(this.request))
        return this.expect(State.Password, 2, encodePassword(this.request))
      case State.Password:
        if (answer[0] !== PASSWORD_VERSION) throw failed("EPROTO", `version ${answer[0]} of the password's answer`)
        if (answer[1] !== 0) throw failed("EACCES", `user name or password refused (${answer[1]})`)
        return this.expect(State.Reply, REPLY_HEAD, encodeConnect(this.request))
      case State.Reply:
        if (this.due === REPLY_HEAD) this.due = replyLength(answer)
        if (this.filled === this.due) this.state = State.Done
        return null
      case State.Done:
        return null
    }
  }

  private expect(state: State, length: number, next: Uint8Array): Uint8Array {
    this.state = state
    this.due = length
    this.filled = 0
    return next
  }
}

/** The length of an answer to CONNECT; throws when it is a refusal. The address in it is of no use. */
function replyLength(answer: Uint8Array): number {
  const [version, reply = 0, , kind, first = 0] = answer
  if (version !== VERSION) throw failed("EPROTO", `version ${version} instead of ${VERSION}`)
  if (reply !== 0) {
    const [code, text] = REPLIES[reply] ?? ["EPROTO", "unknown"]
    throw failed(code, `${text} (${reply})`)
  }
  if (kind === IPV4) return 4 + 4 + 2
  if (kind === IPV6) return 4 + 16 + 2
  if (kind === NAME) return REPLY_HEAD + first + 2
  throw failed("EPROTO", `an address of kind ${kind}`)
}

function encodePassword({ username, password }: SocksRequest): Uint8Array {
  return Buffer.concat([Buffer.of(PASSWORD_VERSION), text(username), text(password)])
}

function encodeConnect({ host, port }: SocksRequest): Uint8Array {
  const end = Buffer.of(port >> 8, port & 0xff)
  return Buffer.concat([Buffer.of(VERSION, CONNECT, 0), encodeAddress(host), end])
}

function encodeAddress(host: string): Uint8Array {
  if (isIPv4(host)) return Buffer.of(IPV4, ...host.split(".").map(Number))
  if (isIPv6(host)) return Buffer.concat([Buffer.of(IPV6), ipv6Bytes(host)])
  return Buffer.concat([Buffer.of(NAME), text(host)])
}

/** The groups of an address that node:net found to be one; a zone says nothing to a proxy. */
function ipv6Bytes(host: string): Uint8Array {
  // WHATWG URLs spell an address in its one canonical way, without dots.
  const [front = "", back] = new URL(`http://[${host.replace(/%.*$/, "")}]`).hostname.slice(1, -1).split("::")
  const groups = (half: string) => (half === "" ? [] : half.split(":").map(group => Number.parseInt(group, 16)))
  const [start, end] = [groups(front), groups(back ?? "")]
  const middle = new Array<number>(8 - start.length - end.length).fill(0)
  return Buffer.from([...start, ...middle, ...end].flatMap(group => [group >> 8, group & 0xff]))
}

/** One byte of length in front; callers see to it that this is enough. */
function text(value: string): Uint8Array {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.of(bytes.length), bytes])
}

function failed(code: string, detail: string): ZmqError {
  return new ZmqError(code, { detail: `the SOCKS proxy answered: ${detail}` })
}

export class SocksStream extends NetStream {
  /** Null when the proxy has connected. */
  private handshake: SocksHandshake | null

  constructor(socket: Socket, name: (socket: Socket) => Ends, request: SocksRequest) {
    super(socket, name)
    this.handshake = new SocksHandshake(request)
  }

  /** The proxy is there. */
  override open(): void {
    if (this.handshake !== null) this.write(this.handshake.start())
  }

  override onData(chunk: Uint8Array): void {
    const { handshake } = this
    if (handshake === null) {
      super.onData(chunk)
      return
    }
    let at: number
    try {
      at = handshake.receive(chunk, 0, bytes => this.write(bytes))
    } catch (error) {
      this.fail(error as Error)
      return
    }
    if (!handshake.done) return
    this.handshake = null
    super.open()
    if (at < chunk.length) super.onData(chunk.subarray(at))
  }

  override onDrain(): void {
    if (this.handshake === null) super.onDrain()
  }
}

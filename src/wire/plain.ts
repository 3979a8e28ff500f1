/**
 * PLAIN (24/ZMTP-PLAIN): the client says HELLO with a user name and a password, the server asks its authenticator and
 * answers WELCOME, or ERROR; then INITIATE and READY carry the properties. Nothing is encrypted. Who is client has nothing
 * to do with who connects.
 */
import { ProtocolError, type ProtocolErrorCode } from "../errors.js"
import { Asking } from "./asking.js"
import { decodeProperties, encodeCommand, encodeProperties, type Properties } from "./command.js"
import { dueData, outOfTurn } from "./due.js"
import type { Mechanism, MechanismFactory, MechanismHost, Verdict } from "./mechanism.js"
import { encodePlainError, peerPlainError } from "./refusal.js"

const NOTHING: Properties = new Map()
const NO_DATA = new Uint8Array(0)

/** As {@link dueData}, with PLAIN's own ERROR. */
const expected = (name: string, body: Uint8Array) => dueData(name, body, peerPlainError)

enum ClientState {
  SayHello,
  AwaitWelcome,
  SayInitiate,
  AwaitReady,
  Ready,
}

class PlainClient implements Mechanism {
  peer: Properties = NOTHING
  readonly verdict = null
  readonly cipher = null
  private state = ClientState.SayHello

  constructor(
    private readonly host: MechanismHost,
    private readonly username: Uint8Array,
    private readonly password: Uint8Array,
  ) {}

  get ready(): boolean {
    return this.state === ClientState.Ready
  }

  next(): Uint8Array | null {
    switch (this.state) {
      case ClientState.SayHello:
        this.state = ClientState.AwaitWelcome
        return encodeCommand("HELLO", encodeHello(this.username, this.password))
      case ClientState.SayInitiate:
        this.state = ClientState.AwaitReady
        return encodeCommand("INITIATE", encodeProperties(this.host.own))
      default:
        return null
    }
  }

  receive(body: Uint8Array): void {
    if (this.state === ClientState.AwaitWelcome) {
      if (expected("WELCOME", body).length > 0) throw malformed("WELCOME")
      this.state = ClientState.SayInitiate
    } else if (this.state === ClientState.AwaitReady) {
      this.peer = decodeProperties(expected("READY", body), "ERR_ZMTP_MALFORMED_COMMAND_READY")
      this.state = ClientState.Ready
    } else {
      throw outOfTurn(body)
    }
  }

  end(): void {}
}

enum ServerState {
  AwaitHello,
  Asking,
  AwaitInitiate,
  SayReady,
  Ready,
}

class PlainServer implements Mechanism {
  peer: Properties = NOTHING
  readonly cipher = null
  private state = ServerState.AwaitHello
  private readonly asking: Asking

  constructor(private readonly host: MechanismHost) {
    this.asking = new Asking(host, encodePlainError)
  }

  get verdict(): Verdict | null {
    return this.asking.verdict
  }

  get ready(): boolean {
    return this.state === ServerState.Ready
  }

  next(): Uint8Array | null {
    switch (this.state) {
      case ServerState.Asking:
        if (this.asking.verdict === null) return this.asking.next()
        this.state = ServerState.AwaitInitiate
        return encodeCommand("WELCOME", NO_DATA)
      case ServerState.SayReady:
        this.state = ServerState.Ready
        return encodeCommand("READY", encodeProperties(this.host.own))
      default:
        return null
    }
  }

  receive(body: Uint8Array): void {
    if (this.state === ServerState.AwaitHello) {
      const credentials = decodeHello(expected("HELLO", body))
      this.state = ServerState.Asking
      this.asking.ask({ mechanism: "PLAIN", credentials })
    } else if (this.state === ServerState.AwaitInitiate) {
      this.peer = decodeProperties(expected("INITIATE", body), "ERR_ZMTP_MALFORMED_COMMAND_INITIATE")
      this.state = ServerState.SayReady
    } else {
      throw outOfTurn(body)
    }
  }

  end(): void {}
}

function encodeHello(username: Uint8Array, password: Uint8Array): Uint8Array {
  const data = new Uint8Array(2 + username.length + password.length)
  data[0] = username.length
  data.set(username, 1)
  data[1 + username.length] = password.length
  data.set(password, 2 + username.length)
  return data
}

/** User name and password, as copies. */
function decodeHello(data: Uint8Array): [Uint8Array, Uint8Array] {
  const nameEnd = 1 + (data[0] ?? 0)
  const end = nameEnd + 1 + (data[nameEnd] ?? 0)
  if (data.length < 2 || end !== data.length) throw malformed("HELLO")
  return [new Uint8Array(data.subarray(1, nameEnd)), new Uint8Array(data.subarray(nameEnd + 1, end))]
}

function malformed(command: "HELLO" | "WELCOME"): ProtocolError {
  const code: ProtocolErrorCode = `ERR_ZMTP_MALFORMED_COMMAND_${command}`
  return new ProtocolError(code, `a ${command} of the wrong length`)
}

/** The client's side; user name and password of at most 255 bytes. */
export function plainClient(username: Uint8Array, password: Uint8Array): MechanismFactory {
  return { name: "PLAIN", create: host => new PlainClient(host, username, password) }
}

export const plainServer: MechanismFactory = { name: "PLAIN", create: host => new PlainServer(host) }

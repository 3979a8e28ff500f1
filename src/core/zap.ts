/**
 * 27/ZAP: whoever is bound to `inproc://zeromq.zap.01` in the context of a socket decides about its peers. Each question is
 * asked on a connection of its own, as a REQ would ask it; the answer has seven frames. When nobody is bound there, CURVE and
 * NULL let everybody in, unless `zapEnforceDomain` says otherwise, and PLAIN nobody (libzmq).
 */
import { ProtocolError, ZmqError } from "../errors.js"
import type { Message } from "../message.js"
import type { Pipe } from "../pipe/pipe.js"
import { decodeProperties, latin1 } from "../wire/command.js"
import type { Answer, Verdict } from "../wire/mechanism.js"
import type { AuthenticationRequest, Authenticator } from "./authenticator.js"
import type { ContextBase } from "./context.js"
import { InprocEnd, type InprocSocket } from "./inproc.js"

const NAME = "zeromq.zap.01"
const VERSION = "1.0"
/** One question is asked at a time on a connection (libzmq). */
const REQUEST_ID = "1"
const REPLY_FRAMES = 7
const STATUS = { "200": 200, "300": 300, "400": 400, "500": 500 } as const

const EVERYBODY: Verdict = { status: 200, userId: new Uint8Array(0), metadata: new Map() }
const NOTHING = new Uint8Array(0)
const NO_LIMIT = { messages: 0, bytes: 0, conflate: false }

const encoder = new TextEncoder()

export interface ZapSettings {
  /** Empty: none. */
  readonly domain: string
  readonly enforce: boolean
  /** The routing id of the socket that asks. */
  readonly routingId: Uint8Array | null
}

export class Zap implements Authenticator {
  constructor(
    private readonly context: ContextBase,
    private readonly settings: ZapSettings,
  ) {}

  ask(request: AuthenticationRequest, answer: (answer: Answer) => void): void {
    const { domain, enforce } = this.settings
    if (!this.context.inproc.has(NAME)) {
      if (request.mechanism === "PLAIN" || (enforce && domain !== "")) answer(nobody())
      else answer(EVERYBODY)
    } else if (enforce && domain === "" && request.mechanism === "PLAIN") {
      answer(new ZmqError("EFAULT", { detail: "zapEnforceDomain is set, and no zapDomain" }))
    } else if (enforce && domain === "") {
      answer(EVERYBODY)
    } else {
      new Question(this.context, this.frames(request), answer).ask()
    }
  }

  private frames({ mechanism, credentials, address }: AuthenticationRequest): Message {
    const { domain, routingId } = this.settings
    const texts = [VERSION, REQUEST_ID, domain, address].map(text => encoder.encode(text))
    return [NOTHING, ...texts, routingId ?? NOTHING, encoder.encode(mechanism), ...credentials]
  }
}

/** One question, and the connection that it is asked on. */
class Question implements InprocSocket {
  readonly marks = { out: NO_LIMIT, in: NO_LIMIT }
  readonly routingId = null
  private end: InprocEnd | null = null

  constructor(
    private readonly context: ContextBase,
    private readonly frames: Message,
    private readonly answer: (answer: Answer) => void,
  ) {}

  get bytes() {
    return this.context.bytes
  }

  ask(): void {
    const half = InprocEnd.half(this)
    this.end = half
    half.pipe.write(this.frames)
    this.context.inproc.connect(NAME, half)
  }

  joined(): void {}

  left(): void {
    this.settle(new ZmqError("EPIPE", { detail: "the ZAP handler left before it answered" }))
  }

  onReadable(pipe: Pipe): void {
    const reply = pipe.read()
    if (reply !== undefined) this.settle(decodeReply(reply))
  }

  onWritable(): void {}

  onWritten(): void {}

  private settle(verdict: Answer): void {
    const { end } = this
    if (end === null) return
    this.end = null
    end.close()
    this.answer(verdict)
  }
}

function nobody(): ZmqError {
  return new ZmqError("EFAULT", { detail: `nobody is bound to inproc://${NAME}` })
}

/** Reads the seven frames of an answer. */
export function decodeReply(reply: Message): Verdict | ProtocolError {
  const [delimiter, version, id, status, , userId, metadata] = reply
  if (reply.length !== REPLY_FRAMES || delimiter?.length !== 0) {
    return new ProtocolError("ERR_ZAP_MALFORMED_REPLY", `a ZAP reply of ${reply.length} frames`)
  }
  if (latin1(version!) !== VERSION) {
    return new ProtocolError("ERR_ZAP_BAD_VERSION", `expected a ZAP reply of ${VERSION}`)
  }
  if (latin1(id!) !== REQUEST_ID) {
    return new ProtocolError("ERR_ZAP_BAD_REQUEST_ID", "a ZAP reply to another request")
  }
  const number = STATUS[latin1(status!) as keyof typeof STATUS]
  if (number === undefined) {
    return new ProtocolError("ERR_ZAP_INVALID_STATUS_CODE", "a ZAP reply with a status that there is not")
  }
  try {
    return {
      status: number,
      userId: new Uint8Array(userId!),
      metadata: decodeProperties(metadata!, "ERR_ZAP_INVALID_METADATA"),
    }
  } catch (error) {
    if (error instanceof ProtocolError) return error
    throw error
  }
}

/**
 * One peer's protocol (37/ZMTP): greeting, handshake, then messages and commands, as a machine without I/O. Bytes go in
 * by `receive`, messages by `encode`; what comes of it are calls of one sink and bytes in one batch. Time is an argument.
 * With a peer of 1.0 or 2.0 (13, 15/ZMTP) an identity frame of each side is all the handshake, and there are no commands.
 */
import { AuthError, ProtocolError, ZmqError } from "../errors.js"
import type { Bytes, Encoded, Message } from "../message.js"
import { Assembly } from "./assembly.js"
import type { OutBatch } from "./batch.js"
import { COMMAND, commandData, commandName, encodeCommand, latin1, type Properties } from "./command.js"
import { Decoder, type DecoderLimits, type DecoderSink } from "./decoder.js"
import { Greeting, Version } from "./greeting.js"
import { Heartbeat, type HeartbeatOptions } from "./heartbeat.js"
import type { Ask, Cipher, HandshakeError, Mechanism, MechanismFactory } from "./mechanism.js"
import { ownProperties } from "./own-properties.js"
import type { PeerEngine } from "./peer-engine.js"
import {
  type Asking,
  asks,
  isAsked,
  keepsQuiet,
  mayTalk,
  type SocketTypeName,
  takesNoMessages,
} from "./socket-types.js"
import { encodeZmtp1, Zmtp1Decoder } from "./zmtp1.js"

const MORE = 0x01
/** In place of {@link COMMAND}, in the flags of a sealed frame (libzmq; 26/CURVEZMQ leaves the bit open). */
const SEALED_COMMAND = 0x02
const CANCEL_BYTE = 0
const SUBSCRIBE_BYTE = 1

enum State {
  Greeting,
  Handshake,
  Traffic,
  /** Traffic of commands only: messages of the peer mean nothing. */
  Commands,
  Failed,
}

export interface EngineOptions extends DecoderLimits, HeartbeatOptions {
  readonly type: SocketTypeName
  /** Peers do not speak ZMTP, which makes a {@link RawEngine} of it; a STREAM needs not say so. */
  readonly raw?: boolean
  /** Told to the peer by the types that have one; null: none. */
  readonly routingId: Uint8Array | null
  /** More to tell the peer: `X-name:value`, a line for each; null: nothing. */
  readonly metadata?: string | null
  /** The first message of the connection; null: none. */
  readonly helloMessage?: Uint8Array | null
  /** Milliseconds from the start to the end of the handshake; 0: for ever. */
  readonly handshakeInterval: number
  readonly mechanism: MechanismFactory
}

/** What the peer said of itself. */
export interface PeerInfo {
  /** Its socket type by its name on the wire; empty when it did not say. */
  readonly type: string
  /** Empty when it has none. */
  readonly identity: Uint8Array
  readonly mechanism: string
  /** The version that is spoken with it: 3, or 1 or 2 of an old peer, which has no handshake to speak of. */
  readonly major: number
  readonly minor: number
  readonly properties: Properties
  /** Who it is, by the word of the authenticator; empty: nobody was asked, or no name was given. */
  readonly userId: Uint8Array
  /** What else the authenticator said of it; null: nobody was asked. */
  readonly vouched: Properties | null
}

export interface EngineSink {
  /** So much waits to be written that answers should wait for {@link Engine.written}. */
  readonly crowded: boolean
  /** The handshake is done. False: no messages for now. */
  onReady(peer: PeerInfo): boolean
  /** A message came; a subscription is one whose only frame begins with 1 (or 0: cancelled). False: no more for now. */
  onMessage(message: Message): boolean
  /** There are bytes in the batch that should go out. */
  onOutput(): void
  /** The peer broke the protocol (ProtocolError), was refused or refuses (AuthError), or was silent for too long (ETIMEDOUT). The engine is finished. */
  onFault(error: HandshakeError): void
  /** The peer was refused for now, and waits. */
  onDeferred(error: AuthError): void
}

export class Engine implements PeerEngine, DecoderSink {
  private state = State.Greeting
  /** Null when it is done. */
  private greeting: Greeting | null
  /** Null before the greeting is done, and when the handshake is: NULL has no more to do. */
  private mechanism: Mechanism | null = null
  /** Seals messages and commands of both sides after the handshake; null: nothing does. */
  private cipher: Cipher | null = null
  /** Frames that came out of sealed ones. */
  private opened: Assembly | null = null
  private decoder: Decoder
  /** Made when the first PING is to go out, or comes. */
  private heartbeat: Heartbeat | null = null
  /** The answer to the last PING, for which there was no room. */
  private pong: Uint8Array | null = null
  private handshakeBy = Number.POSITIVE_INFINITY
  private now = 0
  private version = Version.Zmtp3
  private peerMinor = 0
  /** Not every message is simply put into frames: some are commands, or the framing is that of 1.0. */
  private encodesOtherwise = false
  private asksByCommand = false
  private readonly asks: Asking | null
  private readonly isAsked: Asking | null

  constructor(
    private readonly options: EngineOptions,
    private readonly bytes: Bytes,
    private readonly batch: OutBatch,
    private readonly sink: EngineSink,
    /** Asks an authenticator about the peer; null: there is none. */
    private readonly ask: Ask | null = null,
  ) {
    this.greeting = new Greeting(options.mechanism, options.type, options.routingId)
    this.decoder = new Decoder(bytes, options, this)
    this.decoder.distrust()
    this.asks = asks(options.type)
    this.isAsked = isAsked(options.type)
  }

  start(now: number): void {
    this.now = now
    if (this.options.handshakeInterval > 0) this.handshakeBy = now + this.options.handshakeInterval
    if (this.greeting !== null) this.batch.raw(this.greeting.next())
    this.sink.onOutput()
  }

  get handshaking(): boolean {
    return this.state === State.Greeting || this.state === State.Handshake
  }

  get pendingBytes(): number {
    return this.decoder.pendingBytes + (this.opened?.bytes ?? 0)
  }

  receive(chunk: Uint8Array, from: number, now: number): number {
    this.now = now
    try {
      let at = from
      while (this.greeting !== null) {
        at = this.greeting.receive(chunk, at)
        this.greet(this.greeting)
        if (at === chunk.length) return at
      }
      if (this.state === State.Failed) return chunk.length
      this.heartbeat?.heard()
      return this.decoder.decode(chunk, at)
    } catch (error) {
      this.fail(error)
      return chunk.length
    }
  }

  heard(): void {
    this.heartbeat?.heard()
  }

  /** Appends a message to the batch. Only after the handshake. */
  encode(message: Message, encoded: Encoded | null = null): void {
    if (encoded !== null && !this.framesAlone) {
      this.batch.append(encoded)
      return
    }
    if (this.encodesOtherwise && this.encodeOtherwise(message)) return
    const last = message.length - 1
    for (let i = 0; i < last; i++) this.batch.frame(MORE, message[i]!)
    this.batch.frame(0, message[last]!)
  }

  written(): void {
    const { pong } = this
    if (pong === null) return
    this.pong = null
    this.send(pong)
  }

  end(): void {
    this.mechanism?.end()
    this.mechanism = null
  }

  /** Bytes that were encoded for several peers are not for this one. */
  get framesAlone(): boolean {
    return this.version < Version.Zmtp2 || this.cipher !== null
  }

  nextTimeout(): number {
    if (this.state === State.Failed) return Number.POSITIVE_INFINITY
    if (!this.handshaking) return this.heartbeat?.next() ?? Number.POSITIVE_INFINITY
    return Math.min(this.handshakeBy, this.mechanism?.waitsUntil ?? Number.POSITIVE_INFINITY)
  }

  handleTimeout(now: number): void {
    this.now = now
    if (this.handshaking) {
      if (now >= this.handshakeBy) this.fail(handshakeTimeout())
      else this.resume(now)
      return
    }
    if (this.state === State.Failed || this.heartbeat === null) return
    if (this.heartbeat.expired(now)) {
      this.fail(new ZmqError("ETIMEDOUT", { detail: "the peer was silent for too long" }))
      return
    }
    const ping = this.heartbeat.ping(now)
    if (ping !== null) this.send(ping)
  }

  onMessage(message: Message): boolean {
    return this.cipher === null ? this.onOpenMessage(message) : this.onSealed(message, this.cipher)
  }

  onCommand(body: Uint8Array): boolean {
    if (this.cipher !== null) throw new ProtocolError("ERR_ZMTP_UNEXPECTED_COMMAND", "a command that is not sealed")
    return this.onOpenCommand(body)
  }

  /** A frame that holds another one. */
  private onSealed(message: Message, cipher: Cipher): boolean {
    if (message.length > 1) throw new ProtocolError("ERR_ZMTP_UNEXPECTED_COMMAND", "a sealed message of several frames")
    const plain = cipher.open(message[0]!)
    const flags = plain[0]!
    const body = this.bytes.view(plain.buffer, plain.byteOffset + 1, plain.length - 1)
    if ((flags & SEALED_COMMAND) !== 0) return this.onOpenCommand(body)
    this.opened ??= new Assembly(this.options.maxFrames)
    const whole = this.opened.add(body, (flags & MORE) !== 0)
    return whole === null || this.onOpenMessage(whole)
  }

  private onOpenMessage(message: Message): boolean {
    if (this.state !== State.Traffic) {
      if (this.state === State.Handshake && this.version !== Version.Zmtp3) return this.meetOld(message)
      if (this.state === State.Commands) return true
      throw new ProtocolError("ERR_ZMTP_UNEXPECTED_COMMAND", "a message came before the end of the handshake")
    }
    return this.sink.onMessage(message)
  }

  private onOpenCommand(body: Uint8Array): boolean {
    if (this.state === State.Handshake && this.mechanism !== null) {
      this.mechanism.receive(body)
      return this.proceed()
    }
    if (this.version !== Version.Zmtp3) {
      if (this.state === State.Traffic) return true // libzmq
      throw new ProtocolError("ERR_ZMTP_UNEXPECTED_COMMAND", "a command came in place of a 2.0 identity")
    }
    const name = commandName(body)
    switch (name) {
      case this.isAsked?.on:
        return this.sink.onMessage([this.asking(SUBSCRIBE_BYTE, name, commandData(body))])
      case this.isAsked?.off:
        return this.sink.onMessage([this.asking(CANCEL_BYTE, name, commandData(body))])
      case "PING": {
        this.heartbeat ??= new Heartbeat(this.options)
        const pong = this.heartbeat.pong(body, this.now)
        if (pong === null)
          throw new ProtocolError("ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED", "a PING without time to live")
        // As libzmq: of those that a peer does not read, one is kept. To read no further would make two such peers wait for each other.
        if (this.sink.crowded) this.pong = pong
        else this.send(pong)
        return true
      }
      default:
        // PONG has done its work by arriving; an unknown command and a late ERROR are ignored (libzmq).
        return true
    }
  }

  private greet(greeting: Greeting): void {
    const answer = greeting.next()
    if (answer.length > 0) {
      this.batch.raw(answer)
      this.sink.onOutput()
    }
    if (!greeting.done) return
    greeting.checkMechanism()
    this.version = greeting.version
    this.peerMinor = greeting.minor
    this.greeting = null
    this.state = State.Handshake
    if (this.version !== Version.Zmtp3) {
      this.greetOld(greeting)
      return
    }
    this.mechanism = this.options.mechanism.create({
      own: ownProperties(this.options),
      ask: this.ask,
      proceed: now => this.resume(now ?? this.now),
      report: error => {
        // The answer of an authenticator may come when the connection is over.
        if (this.state === State.Handshake && this.mechanism !== null) this.sink.onDeferred(error)
      },
    })
    this.proceed()
  }

  /** Says what is to be said. False: nothing more of what came is to be taken now. */
  private proceed(): boolean {
    const { mechanism } = this
    if (this.state !== State.Handshake || mechanism === null) return false
    for (let body = mechanism.next(this.now); body !== null; body = mechanism.next(this.now)) this.send(body)
    if (!mechanism.ready) return true
    const { peer: properties, verdict } = mechanism
    const type = properties.get("Socket-Type")
    const typeName = type === undefined ? "" : latin1(type)
    if (type !== undefined && !mayTalk(this.options.type, typeName)) {
      throw new ProtocolError(
        "ERR_ZMTP_INVALID_METADATA",
        `a ${this.options.type} cannot talk to a ${typeName.slice(0, 20)}`,
      )
    }
    this.decoder.trust()
    this.state = takesNoMessages(this.options.type) ? State.Commands : State.Traffic
    this.cipher = mechanism.cipher
    if (this.cipher === null) this.end()
    this.asksByCommand = this.asks !== null && this.peerMinor >= this.asks.since
    this.encodesOtherwise = this.asksByCommand || this.cipher !== null
    if (this.options.heartbeatInterval > 0 && !keepsQuiet(this.options.type)) {
      this.heartbeat = new Heartbeat(this.options)
      this.heartbeat.start(this.now)
    }
    const { helloMessage } = this.options
    if (helloMessage) {
      this.encode([helloMessage])
      this.sink.onOutput()
    }
    return this.sink.onReady({
      type: typeName,
      identity: properties.get("Identity") ?? NONE,
      mechanism: this.options.mechanism.name,
      major: 3,
      minor: this.peerMinor,
      properties,
      userId: verdict?.userId ?? NONE,
      vouched: verdict?.metadata ?? null,
    })
  }

  /** Says our identity. To an unversioned peer, the signature of our greeting was the header of that frame. */
  private greetOld(greeting: Greeting): void {
    const { batch, version } = this
    const identity = this.options.routingId ?? NONE
    if (version === Version.Zmtp2) batch.frame(0, identity)
    else if (version === Version.Zmtp1) encodeZmtp1(batch, [identity])
    else if (identity.length > 0) batch.raw(identity)
    this.sink.onOutput()
    if (version === Version.Zmtp2) return
    this.encodesOtherwise = true
    this.decoder = new Zmtp1Decoder(this.bytes, this.options, this)
    this.decoder.distrust()
    this.decoder.decode(greeting.beginning, 0)
  }

  /** The identity of an old peer came, which is all that it says of itself. */
  private meetOld(message: Message): boolean {
    if (message.length > 1) throw new ProtocolError("ERR_ZMTP_UNSPECIFIED", "an identity of several frames")
    this.decoder.trust()
    this.state = State.Traffic
    const goesOn = this.sink.onReady({
      type: "",
      identity: new Uint8Array(message[0]!),
      mechanism: this.options.mechanism.name,
      major: this.version === Version.Zmtp2 ? 2 : 1,
      minor: 0,
      properties: new Map(),
      userId: NONE,
      vouched: null,
    })
    // ZeroMQ 2.x filters where it subscribes, and tells nobody.
    if (this.version !== Version.Unversioned || this.isAsked === null) return goesOn
    return this.sink.onMessage([this.asking(SUBSCRIBE_BYTE, this.isAsked.on, NONE)])
  }

  private send(command: Uint8Array): void {
    this.put(COMMAND, command)
    this.sink.onOutput()
  }

  /** Appends a frame, sealed where that is due. */
  private put(flags: number, body: Uint8Array): void {
    const { cipher } = this
    if (cipher === null) this.batch.frame(flags, body)
    else
      cipher.seal(flags === COMMAND ? SEALED_COMMAND : flags, body, this.batch.room(0, body.length + cipher.overhead))
  }

  /** False: it is to be put into frames like any other. */
  private encodeOtherwise(message: Message): boolean {
    if (this.version !== Version.Zmtp3) {
      encodeZmtp1(this.batch, message)
      return true
    }
    if (this.asksByCommand && message.length === 1 && this.encodeAsking(this.asks as Asking, message[0]!)) return true
    if (this.cipher === null) return false
    const last = message.length - 1
    for (let i = 0; i <= last; i++) this.put(i < last ? MORE : 0, message[i]!)
    return true
  }

  /** 37/ZMTP: subscriptions of a 3.1 peer are commands; older ones get them as messages. False: it is none. */
  private encodeAsking({ on, off }: Asking, frame: Uint8Array): boolean {
    const first = frame[0]
    if (first !== SUBSCRIBE_BYTE && first !== CANCEL_BYTE) return false
    this.put(COMMAND, encodeCommand(first === SUBSCRIBE_BYTE ? on : off, frame.subarray(1)))
    return true
  }

  private asking(first: number, name: string, topic: Uint8Array): Uint8Array {
    if (topic.length > (this.isAsked as Asking).longest) {
      throw new ProtocolError("ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED", `a ${name} of ${topic.length} bytes`)
    }
    const frame = this.bytes.alloc(1 + topic.length)
    frame[0] = first
    frame.set(topic, 1)
    return frame
  }

  /** The mechanism waited for something else than the peer, and goes on. */
  private resume(now: number): void {
    this.now = now
    try {
      this.proceed()
    } catch (error) {
      this.fail(error)
    }
  }

  /** What the peer did wrong ends here; anything else is a bug and goes on up. */
  private fail(error: unknown): void {
    if (!(error instanceof ProtocolError) && !(error instanceof ZmqError) && !(error instanceof AuthError)) throw error
    if (this.state === State.Failed) return
    this.sink.onFault(error)
    this.state = State.Failed
  }
}

function handshakeTimeout(): ZmqError {
  return new ZmqError("ETIMEDOUT", { limit: "handshakeInterval", detail: "the handshake took too long" })
}

const NONE = new Uint8Array(0)

/**
 * The server's side of CURVE (26/CURVEZMQ). It is known by its long-term public key, and learns that of the client, which the
 * authenticator is asked about; where there is none, every client may come in.
 */
import { ProtocolError } from "../errors.js"
import { Asking } from "./asking.js"
import { decodeProperties, encodeProperties } from "./command.js"
import { broken, CurveMechanism, commonKey, type KeyPair, malformed, nameBytes, openFrom } from "./curve.js"
import {
  type Boxes,
  type BoxLoader,
  CountingNonce,
  equalBytes,
  joined,
  KEY_SIZE,
  randomNonce,
  sealed,
} from "./curve-boxes.js"
import { CurveCipher } from "./curve-cipher.js"
import { dueData, outOfTurn } from "./due.js"
import type { MechanismFactory, MechanismHost, Verdict } from "./mechanism.js"

const HELLO_SIZE = 200
const SIGNED_SIZE = 64
const COOKIE_AT = 9
const COOKIE_SIZE = 96
/** An INITIATE without properties. */
const INITIATE_SIZE = 257
const VOUCH_AT = KEY_SIZE + 16
const VOUCH_SIZE = 80
const RANDOM_SIZE = 16

enum State {
  AwaitHello,
  SayWelcome,
  AwaitInitiate,
  Asking,
  Ready,
}

class CurveServer extends CurveMechanism {
  private state = State.AwaitHello
  private clientTransient: Uint8Array = new Uint8Array(0)
  /** Of this connection alone. */
  private transient: KeyPair | null = null
  private cookieKey: Uint8Array = new Uint8Array(0)
  /** In common with the client: of its transient key and the long-term one of this side, and then of both transient keys. */
  private key: Uint8Array = new Uint8Array(0)
  private received = 0
  private readonly asking: Asking | null

  constructor(
    host: MechanismHost,
    loader: BoxLoader,
    private readonly secretKey: Uint8Array,
  ) {
    super(host, loader)
    this.asking = host.ask === null ? null : new Asking(host)
  }

  override get verdict(): Verdict | null {
    return this.asking?.verdict ?? null
  }

  get ready(): boolean {
    return this.state === State.Ready
  }

  protected say(boxes: Boxes): Uint8Array | null {
    switch (this.state) {
      case State.SayWelcome:
        this.state = State.AwaitInitiate
        return this.welcome(boxes)
      case State.Asking:
        if (this.asking !== null && this.asking.verdict === null) return this.asking.next()
        this.state = State.Ready
        return this.readied(boxes)
      default:
        return null
    }
  }

  protected take(body: Uint8Array, boxes: Boxes): void {
    if (this.state === State.AwaitHello) this.hello(body, boxes)
    else if (this.state === State.AwaitInitiate) this.initiate(body, boxes)
    else throw outOfTurn(body)
  }

  protected forget(): void {
    this.transient?.secretKey.fill(0)
    this.cookieKey.fill(0)
    this.key.fill(0)
  }

  private hello(body: Uint8Array, boxes: Boxes): void {
    dueData("HELLO", body)
    if (body.length !== HELLO_SIZE) throw malformed("HELLO", body.length)
    if (body[6] !== 1 || body[7] !== 0) {
      throw new ProtocolError("ERR_ZMTP_MALFORMED_COMMAND_HELLO", `CurveZMQ ${body[6]}.${body[7]} is not spoken`)
    }
    this.clientTransient = new Uint8Array(body.subarray(80, 112))
    const nonce = new CountingNonce("CurveZMQHELLO---", -1).accept(body, 112)
    this.key = commonKey(boxes, this.clientTransient, this.secretKey)
    const signed = nonce && boxes.open(body.subarray(120), nonce, this.key)
    if (signed?.length !== SIGNED_SIZE) throw broken("a HELLO that does not open: not for the key of this server")
    this.state = State.SayWelcome
  }

  private welcome(boxes: Boxes): Uint8Array {
    const { publicKey, secretKey } = boxes.keyPair()
    this.transient = { publicKey, secretKey }
    this.cookieKey = boxes.random(KEY_SIZE)
    const cookieNonce = boxes.random(RANDOM_SIZE)
    const kept = joined(this.clientTransient, secretKey)
    const cookie = joined(cookieNonce, sealed(boxes, kept, randomNonce("COOKIE--", cookieNonce), this.cookieKey))
    kept.fill(0)
    const random = boxes.random(RANDOM_SIZE)
    const box = sealed(boxes, joined(publicKey, cookie), randomNonce("WELCOME-", random), this.key)
    this.key.fill(0)
    return joined(nameBytes("WELCOME"), random, box)
  }

  private initiate(body: Uint8Array, boxes: Boxes): void {
    dueData("INITIATE", body)
    if (body.length < INITIATE_SIZE) throw malformed("INITIATE", body.length)
    this.checkCookie(body.subarray(COOKIE_AT, COOKIE_AT + COOKIE_SIZE), boxes)
    this.key = commonKey(boxes, this.clientTransient, (this.transient as KeyPair).secretKey)
    const nonce = new CountingNonce("CurveZMQINITIATE", -1)
    const bytes = nonce.accept(body, 105)
    const plain = bytes && boxes.open(body.subarray(113), bytes, this.key)
    if (plain === null) throw broken("an INITIATE that does not open")
    this.received = nonce.counter
    const client = new Uint8Array(plain.subarray(0, KEY_SIZE))
    this.checkVouch(plain, client, boxes)
    this.peer = decodeProperties(plain.subarray(VOUCH_AT + VOUCH_SIZE), "ERR_ZMTP_INVALID_METADATA")
    this.state = State.Asking
    this.asking?.ask({ mechanism: "CURVE", credentials: [client] })
  }

  /** The cookie holds what this connection began with: it is the one that it was given. */
  private checkCookie(cookie: Uint8Array, boxes: Boxes): void {
    const nonce = randomNonce("COOKIE--", cookie.subarray(0, RANDOM_SIZE))
    const plain = boxes.open(cookie.subarray(RANDOM_SIZE), nonce, this.cookieKey)
    const kept = joined(this.clientTransient, (this.transient as KeyPair).secretKey)
    const right = plain !== null && equalBytes(plain, kept)
    plain?.fill(0)
    kept.fill(0)
    if (!right) throw broken("a cookie that is not the one of this connection")
  }

  /** The owner of the long-term key says that the transient one is its own. */
  private checkVouch(plain: Uint8Array, client: Uint8Array, boxes: Boxes): void {
    const nonce = randomNonce("VOUCH---", plain.subarray(KEY_SIZE, VOUCH_AT))
    const box = plain.subarray(VOUCH_AT, VOUCH_AT + VOUCH_SIZE)
    const vouched = openFrom(boxes, box, nonce, client, (this.transient as KeyPair).secretKey)
    if (vouched === null) throw broken("a vouch that does not open")
    if (!equalBytes(vouched.subarray(0, KEY_SIZE), this.clientTransient)) {
      throw new ProtocolError("ERR_ZMTP_KEY_EXCHANGE", "a vouch for another key than that of this connection")
    }
  }

  private readied(boxes: Boxes): Uint8Array {
    const nonce = new CountingNonce("CurveZMQREADY---", 0)
    const box = sealed(boxes, encodeProperties(this.host.own), nonce.next(), this.key)
    this.cipher = new CurveCipher(boxes, this.key, "server", nonce.counter, this.received)
    const counter = new Uint8Array(8)
    nonce.copyCounter(counter, 0)
    return joined(nameBytes("READY"), counter, box)
  }
}

/** The server's side, by its long-term secret key of 32 bytes. */
export function curveServer(loader: BoxLoader, secretKey: Uint8Array): MechanismFactory {
  return { name: "CURVE", create: host => new CurveServer(host, loader, secretKey) }
}

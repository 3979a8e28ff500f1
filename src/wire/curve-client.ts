/** The client's side of CURVE (26/CURVEZMQ): it knows the server's long-term public key, and shows its own only to that server. */
import { decodeProperties, encodeProperties } from "./command.js"
import { boxFor, broken, CurveMechanism, commonKey, type KeyPair, malformed, nameBytes, openFrom } from "./curve.js"
import { type Boxes, type BoxLoader, CountingNonce, joined, KEY_SIZE, randomNonce, sealed } from "./curve-boxes.js"
import { CurveCipher } from "./curve-cipher.js"
import { dueData, outOfTurn } from "./due.js"
import type { MechanismFactory, MechanismHost } from "./mechanism.js"

const HELLO_PADDING = 72
const SIGNED = new Uint8Array(64)
const WELCOME_SIZE = 168
/** A READY without properties. */
const READY_SIZE = 30
const RANDOM_SIZE = 16

enum State {
  SayHello,
  AwaitWelcome,
  SayInitiate,
  AwaitReady,
  Ready,
}

class CurveClient extends CurveMechanism {
  private state = State.SayHello
  /** Of this connection alone. */
  private transient: KeyPair | null = null
  private serverTransient = new Uint8Array(0)
  private cookie = new Uint8Array(0)
  /** In common with the server's transient key. */
  private key: Uint8Array = new Uint8Array(0)
  private counter = 0

  constructor(
    host: MechanismHost,
    loader: BoxLoader,
    private readonly own: KeyPair,
    private readonly serverKey: Uint8Array,
  ) {
    super(host, loader)
  }

  get ready(): boolean {
    return this.state === State.Ready
  }

  protected say(boxes: Boxes): Uint8Array | null {
    if (this.state === State.SayHello) {
      this.state = State.AwaitWelcome
      return this.hello(boxes)
    }
    if (this.state === State.SayInitiate) {
      this.state = State.AwaitReady
      return this.initiate(boxes)
    }
    return null
  }

  protected take(body: Uint8Array, boxes: Boxes): void {
    if (this.state === State.AwaitWelcome) this.welcome(body, boxes)
    else if (this.state === State.AwaitReady) this.readied(body, boxes)
    else throw outOfTurn(body)
  }

  protected forget(): void {
    this.transient?.secretKey.fill(0)
    this.key.fill(0)
  }

  private hello(boxes: Boxes): Uint8Array {
    const { publicKey, secretKey } = boxes.keyPair()
    this.transient = { publicKey, secretKey }
    const nonce = new CountingNonce("CurveZMQHELLO---", this.counter)
    const box = boxFor(boxes, SIGNED, nonce.next(), this.serverKey, secretKey)
    this.counter = nonce.counter
    const body = new Uint8Array(200)
    body.set(nameBytes("HELLO"))
    body[6] = 1 // version 1.0
    body.set(publicKey, 8 + HELLO_PADDING)
    nonce.copyCounter(body, 112)
    body.set(box, 120)
    return body
  }

  private welcome(body: Uint8Array, boxes: Boxes): void {
    dueData("WELCOME", body)
    if (body.length !== WELCOME_SIZE) throw malformed("WELCOME", body.length)
    const nonce = randomNonce("WELCOME-", body.subarray(8, 24))
    const plain = openFrom(boxes, body.subarray(24), nonce, this.serverKey, this.secret)
    if (plain === null) throw broken("a WELCOME that does not open: not from the server of this key")
    this.serverTransient = plain.slice(0, KEY_SIZE)
    this.cookie = plain.slice(KEY_SIZE)
    this.key = commonKey(boxes, this.serverTransient, this.secret)
    this.state = State.SayInitiate
  }

  private initiate(boxes: Boxes): Uint8Array {
    const { own, transient } = this
    const vouchNonce = boxes.random(RANDOM_SIZE)
    const vouched = joined((transient as KeyPair).publicKey, this.serverKey)
    const vouch = boxFor(boxes, vouched, randomNonce("VOUCH---", vouchNonce), this.serverTransient, own.secretKey)
    const plain = joined(own.publicKey, vouchNonce, vouch, encodeProperties(this.host.own))
    const nonce = new CountingNonce("CurveZMQINITIATE", this.counter)
    const box = sealed(boxes, plain, nonce.next(), this.key)
    this.counter = nonce.counter
    const counter = new Uint8Array(8)
    nonce.copyCounter(counter, 0)
    return joined(nameBytes("INITIATE"), this.cookie, counter, box)
  }

  private readied(body: Uint8Array, boxes: Boxes): void {
    dueData("READY", body)
    if (body.length < READY_SIZE) throw malformed("READY", body.length)
    const nonce = new CountingNonce("CurveZMQREADY---", -1)
    const bytes = nonce.accept(body, 6)
    const plain = bytes && boxes.open(body.subarray(14), bytes, this.key)
    if (plain === null) throw broken("a READY that does not open")
    this.peer = decodeProperties(plain, "ERR_ZMTP_INVALID_METADATA")
    this.cipher = new CurveCipher(boxes, this.key, "client", this.counter, nonce.counter)
    this.state = State.Ready
  }

  private get secret(): Uint8Array {
    return (this.transient as KeyPair).secretKey
  }
}

/** The client's side: its own long-term keys, and the public one of the server. 32 bytes each. */
export function curveClient(loader: BoxLoader, own: KeyPair, serverKey: Uint8Array): MechanismFactory {
  return { name: "CURVE", create: host => new CurveClient(host, loader, own, serverKey) }
}

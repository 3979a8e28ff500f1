/**
 * The easy way to decide about peers: a function of the user, a list of public keys, or both, in place of a ZAP handler.
 * Whoever is not on the list, or whom the function does not let in, is refused with status 400; a function that fails
 * refuses with 500, so that a fault never lets anybody in.
 */
import {
  type AuthenticationRequest as Asked,
  type Authenticator,
  decodeZ85,
  encodeZ85,
  type PeerCertificate,
  type Verdict,
  ZmqError,
} from "../../src/index.js"

/** What is known of a peer that wants to come in. */
export interface AuthenticationRequest {
  readonly mechanism: "NULL" | "PLAIN" | "CURVE"
  /** The numeric address of the peer; `localhost` over ipc. */
  readonly address: string
  /** The option `zapDomain` of the socket; empty: none. */
  readonly domain: string
  /** With PLAIN. */
  readonly username?: string
  readonly password?: string
  /** With CURVE: the peer's long-term public key, as Z85 text, and proven to be its own. */
  readonly publicKey?: string
  /** Over TLS, when it was asked for and found to be good. */
  readonly certificate?: PeerCertificate
}

/** True or a description: the peer may come in. False: it may not. */
export type Authentication =
  | boolean
  | {
      /** Who it is: `peer.userId`. */
      userId?: string
      /** What is known of it: `peer.metadata`. Names of 1 to 255 characters. */
      metadata?: Readonly<Record<string, string | Uint8Array>>
    }

/** Decides about a peer: true or a description lets it in. What it throws, or rejects with, refuses with 500. */
export type Authenticate = (request: AuthenticationRequest) => Authentication | Promise<Authentication>

const YES: Verdict = { status: 200, userId: new Uint8Array(0), metadata: new Map() }
const NO: Verdict = { ...YES, status: 400 }
const FAILED: Verdict = { ...YES, status: 500 }

/** Asks the list first, then the function. `tell` hears why a function failed. */
export class Gate implements Authenticator {
  constructor(
    private readonly allowed: ReadonlySet<string> | null,
    private readonly authenticate: Authenticate | null,
    private readonly domain: string,
    private readonly tell: (error: unknown) => void,
  ) {}

  ask({ mechanism, address, credentials, certificate }: Asked, answer: (verdict: Verdict) => void): void {
    const known = { mechanism, address, domain: this.domain, ...(certificate === null ? {} : { certificate }) }
    const request = describe(known, credentials)
    if (this.allowed !== null && !this.allowed.has(request.publicKey ?? "")) {
      answer(NO)
      return
    }
    if (this.authenticate === null) {
      answer(YES)
      return
    }
    decide(this.authenticate, request).then(answer, error => {
      this.tell(error)
      answer(FAILED)
    })
  }
}

function describe(known: AuthenticationRequest, [first, second]: Asked["credentials"]): AuthenticationRequest {
  const { mechanism } = known
  if (mechanism === "PLAIN") return { ...known, username: text(first), password: text(second) }
  return mechanism === "CURVE" && first !== undefined ? { ...known, publicKey: encodeZ85(first) } : known
}

async function decide(authenticate: Authenticate, request: AuthenticationRequest): Promise<Verdict> {
  const said = await authenticate(request)
  if (said === true) return YES
  if (said === false) return NO
  if (typeof said !== "object" || said === null) {
    throw new TypeError("authenticate must give a boolean or an object")
  }
  const metadata = new Map<string, Uint8Array>()
  for (const [name, value] of Object.entries(said.metadata ?? {})) {
    if (!isText(value)) throw new TypeError("metadata must be strings or bytes")
    if (name === "" || name.length > LONGEST_NAME) throw new TypeError("names of metadata have 1 to 255 characters")
    metadata.set(name, typeof value === "string" ? Buffer.from(value) : new Uint8Array(value))
  }
  return { status: 200, userId: Buffer.from(said.userId ?? ""), metadata }
}

function text(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString()
}

/** A list of public keys as their text; each 32 bytes or 40 characters of Z85. */
export function keysOf(keys: Iterable<string | Uint8Array>): ReadonlySet<string> {
  if (typeof keys === "string") throw new TypeError("allow must be a list of keys, or null")
  const texts = new Set<string>()
  for (const key of keys) {
    if (!isText(key)) throw new TypeError("Keys must be strings or buffers")
    texts.add(encodeKey(typeof key === "string" ? decodeZ85(key) : key))
  }
  return texts
}

function isText(value: unknown): value is string | Uint8Array {
  return typeof value === "string" || value instanceof Uint8Array
}

function encodeKey(key: Uint8Array): string {
  if (key.length !== KEY_SIZE)
    throw new ZmqError("EINVAL", { detail: `expected keys of ${KEY_SIZE} bytes, got ${key.length}` })
  return encodeZ85(key)
}

const KEY_SIZE = 32
/** 37/ZMTP, metadata. */
const LONGEST_NAME = 255

/**
 * A certificate of CURVE: a public key, its secret key where one has it, and what its owner wrote about it. Nobody signs it: it
 * is worth as much as the way by which it came. Here it is made, checked, and turned into the text of its files and back.
 */
import { decodeZ85 } from "../../src/index.js"
import { curveKeyPair, curvePublicKey } from "../curve/key-pair.js"
import { CertificateError } from "./certificate-error.js"
import { type Entry, readZpl, zplLine } from "./zpl.js"

/** A public key, and a secret one where it is known, with what is written about them. Plain data; nothing is kept of it. */
export interface Certificate {
  /** 40 characters of Z85, as the options of sockets take it. */
  readonly publicKey: string
  /** The same; undefined in a public certificate. */
  readonly secretKey?: string
  /** What is written in it, by name: `name`, `email`, or whatever its owner chose. Anybody may read it. */
  readonly metadata: Readonly<Record<string, string>>
}

/** What a new certificate is made of. */
export interface CertificateOptions {
  /** Default: none. Names of letters, digits and `$-_@.&+`; values of one line, without quotes of both kinds. */
  metadata?: Readonly<Record<string, string>>
  /** The secret key to use, 40 characters of Z85. Default: a new random one. */
  secretKey?: string
}

/** Bytes of a key. */
const KEY_SIZE = 32
/** What pyzmq takes for a key by the beginning of its line, in whatever section it stands. */
const RESERVED = ["public-key", "secret-key"]

const PUBLIC_HEAD = `#   ****  Written by Peerlane  ****
#   ZeroMQ CURVE Public Certificate
#   Exchange securely, or use a secure mechanism to verify the contents
#   of this file after exchange.

`
const SECRET_HEAD = `#   ****  Written by Peerlane  ****
#   ZeroMQ CURVE **Secret** Certificate
#   DO NOT PROVIDE THIS FILE TO OTHER USERS nor change its permissions.

`

/** A new certificate with both keys. It is nowhere but in memory. EINVAL for metadata that a file cannot hold, or a secret key that is none. */
export function createCertificate({ metadata = {}, secretKey }: CertificateOptions = {}): Required<Certificate> {
  const pair = secretKey === undefined ? curveKeyPair() : { publicKey: publicKeyOf(secretKey, secretFault), secretKey }
  const certificate = { ...pair, metadata: { ...metadata } }
  metadataText(certificate)
  return certificate
}

/** The text of its public file, and of its secret one, where it has the secret. EINVAL for what is no certificate. */
export function textsOf(certificate: Certificate): { open: string; secret: string | null } {
  const { publicKey, secretKey } = certificate
  checkKey(publicKey, detail => new CertificateError("EINVAL", `the public key: ${detail}`))
  if (secretKey !== undefined && publicKeyOf(secretKey, secretFault) !== publicKey) {
    throw new CertificateError("EINVAL", NO_PAIR)
  }
  const body = `${metadataText(certificate)}curve\n${zplLine("public-key", publicKey)}`
  return {
    open: PUBLIC_HEAD + body,
    secret: secretKey === undefined ? null : SECRET_HEAD + body + zplLine("secret-key", secretKey),
  }
}

/** The certificate in the text of a file, `file`. EINVAL, with the line, for what is none. */
export function parseCertificate(text: string, file: string): Certificate {
  const entries = readZpl(text, file)
  const publicEntry = only(entries, "curve/public-key", file)
  if (publicEntry === undefined) throw new CertificateError("EINVAL", "there is no curve/public-key", file)
  const faultAt = (line: number) => (detail: string) => new CertificateError("EINVAL", detail, file, line)
  const publicKey = publicEntry.value
  checkKey(publicKey, faultAt(publicEntry.line))

  const metadata: [string, string][] = []
  for (const { path, value } of entries) {
    const [, name] = /^metadata\/([^/]+)$/.exec(path) ?? []
    if (name !== undefined) metadata.push([name, value])
  }
  const certificate = { publicKey, metadata: Object.fromEntries(metadata) }

  const secretEntry = only(entries, "curve/secret-key", file)
  if (secretEntry === undefined) return certificate
  const fault = faultAt(secretEntry.line)
  if (publicKeyOf(secretEntry.value, fault) !== publicKey) throw fault(NO_PAIR)
  return { ...certificate, secretKey: secretEntry.value }
}

const NO_PAIR = "the public key and the secret key are not a pair"

const secretFault = (detail: string) => new CertificateError("EINVAL", `the secret key: ${detail}`)

/** The entry of that path; twice would leave open which one counts. */
function only(entries: readonly Entry[], path: string, file: string): Entry | undefined {
  const [first, second] = entries.filter(entry => entry.path === path)
  if (second !== undefined) throw new CertificateError("EINVAL", `${path} stands there twice`, file, second.line)
  return first
}

function metadataText({ metadata }: Certificate): string {
  let text = "metadata\n"
  for (const [name, value] of Object.entries(metadata)) {
    if (typeof value !== "string") throw new TypeError("Metadata must be strings")
    if (RESERVED.some(reserved => name.startsWith(reserved))) {
      throw new CertificateError("EINVAL", `${JSON.stringify(name)} would be taken for a key`)
    }
    text += zplLine(name, value)
  }
  return text
}

/** Throws what `fault` makes of it when a text is no key. */
function checkKey(key: unknown, fault: (detail: string) => CertificateError): void {
  if (typeof key !== "string") throw new TypeError("Keys must be strings")
  let size = 0
  try {
    size = decodeZ85(key).length
  } catch {
    // Said below; where it goes wrong is nobody's business but the owner's.
  }
  if (size !== KEY_SIZE) throw fault("expected a key of 40 characters of Z85")
}

function publicKeyOf(secretKey: string, fault: (detail: string) => CertificateError): string {
  checkKey(secretKey, fault)
  return curvePublicKey(secretKey)
}

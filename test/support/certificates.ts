/**
 * Certificates for tests (RFC 5280), made here and now: node:crypto has the keys and the signatures, and what stands around
 * them is a little DER. Keys are of P-256. Names are those that node:tls checks: DNS names and addresses.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto"
import { isIPv4 } from "node:net"

export interface Certificate {
  /** As PEM text. */
  readonly cert: string
  readonly key: string
}

export interface Authority extends Certificate {
  issue(request?: Request): Certificate
}

export interface Request {
  name?: string
  /** DNS names and IPv4 addresses. */
  hosts?: string[]
  /** Days from now. */
  from?: number
  to?: number
}

interface Issuer {
  readonly name: Buffer
  readonly key: KeyObject
}

const DAY = 24 * 60 * 60 * 1000
const SEQUENCE = 0x30
const SET = 0x31

/** The object identifiers that are needed, as DER has them. */
const OID = {
  commonName: "550403",
  ecdsaWithSha256: "2a8648ce3d040302",
  basicConstraints: "551d13",
  subjectAltName: "551d11",
}

function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  const { length } = body
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...size), body])
}

const oid = (hex: string) => der(0x06, Buffer.from(hex, "hex"))
const algorithm = der(SEQUENCE, oid(OID.ecdsaWithSha256))

function nameOf(text: string): Buffer {
  return der(SEQUENCE, der(SET, der(SEQUENCE, oid(OID.commonName), der(0x0c, Buffer.from(text)))))
}

/** UTCTime, which lasts until 2049. */
function time(days: number): Buffer {
  const text = new Date(Date.now() + days * DAY).toISOString()
  return der(0x17, Buffer.from(`${text.slice(2, 19).replace(/[-:T]/g, "")}Z`))
}

function extension(id: string, value: Buffer): Buffer {
  return der(SEQUENCE, oid(id), der(0x04, value))
}

function hostNames(hosts: string[]): Buffer {
  const names = hosts.map(host =>
    isIPv4(host) ? der(0x87, Buffer.from(host.split(".").map(Number))) : der(0x82, Buffer.from(host)),
  )
  return extension(OID.subjectAltName, der(SEQUENCE, ...names))
}

const authorityMark = extension(OID.basicConstraints, der(SEQUENCE, der(0x01, Buffer.of(0xff))))

function pem(label: string, bytes: Buffer): string {
  return `-----BEGIN ${label}-----\n${bytes.toString("base64").replace(/.{64}/g, "$&\n").trim()}\n-----END ${label}-----\n`
}

function make({ name = "peer", hosts = [], from = -1, to = 365 }: Request, by: Issuer | null, mark: Buffer[]) {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const subject = nameOf(name)
  const issuer = by ?? { name: subject, key: privateKey }
  const extensions = hosts.length === 0 ? mark : [...mark, hostNames(hosts)]
  const serial = Buffer.concat([Buffer.of(1), randomBytes(8)])
  const body = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, serial),
    algorithm,
    issuer.name,
    der(SEQUENCE, time(from), time(to)),
    subject,
    publicKey.export({ type: "spki", format: "der" }),
    ...(extensions.length === 0 ? [] : [der(0xa3, der(SEQUENCE, ...extensions))]),
  )
  const signature = der(0x03, Buffer.of(0), sign("sha256", body, issuer.key))
  return {
    cert: pem("CERTIFICATE", der(SEQUENCE, body, algorithm, signature)),
    key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    issuer: { name: subject, key: privateKey },
  }
}

/** An authority that nobody knows but who is told to trust it. */
export function authority(name = "authority"): Authority {
  const { cert, key, issuer } = make({ name }, null, [authorityMark])
  return {
    cert,
    key,
    issue(request = {}) {
      const issued = make(request, issuer, [])
      return { cert: issued.cert, key: issued.key }
    },
  }
}

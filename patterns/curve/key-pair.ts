/**
 * Keys of CURVE (26/CURVEZMQ): pairs of X25519, as Z85 text. They are made and calculated by Node's own cryptography, which
 * is synchronous and always there.
 */
// Keys are chance that nobody may repeat from a seed, so they do not come from the Runtime of a context.
// biome-ignore lint/style/noRestrictedImports: the one place where keys are made
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto"
import { decodeZ85, encodeZ85, ZmqError } from "../../src/index.js"

/** Bytes of a key, public or secret. */
const KEY_SIZE = 32
/** What stands before the 32 bytes of a secret key of X25519 in PKCS #8 (RFC 8410). The bytes of a public one end its SPKI. */
const PKCS8_HEAD = Buffer.from("302e020100300506032b656e04220420", "hex")

/**
 * A new random pair of keys for CURVE, each as 40 characters of Z85: the option values `curvePublicKey` and
 * `curveSecretKey`, and with the public one of a server `curveServerKey`. The secret one is the caller's to keep.
 */
export function curveKeyPair(): { publicKey: string; secretKey: string } {
  const { publicKey, privateKey } = generateKeyPairSync("x25519")
  const secret = privateKey.export({ format: "der", type: "pkcs8" })
  return { publicKey: publicText(publicKey), secretKey: encodeZ85(secret.subarray(-KEY_SIZE)) }
}

/**
 * The public key that belongs to a secret one, as 40 characters of Z85. The secret key is 40 characters of Z85 or its 32
 * bytes, of which nothing is kept. TypeError for neither text nor bytes, EINVAL for another length or characters that are
 * not of Z85. zmq_curve_public.
 */
export function curvePublicKey(secretKey: string | Uint8Array): string {
  if (typeof secretKey !== "string" && !(secretKey instanceof Uint8Array)) {
    throw new TypeError("Secret key must be a string or buffer")
  }
  const secret = typeof secretKey === "string" ? decodeZ85(secretKey) : secretKey
  if (secret.length !== KEY_SIZE) {
    const detail = `expected a secret key of 40 characters or ${KEY_SIZE} bytes, got ${secretKey.length}`
    throw new ZmqError("EINVAL", { detail })
  }
  // Not of the pool that short Buffers share: what lies there may be seen by whoever gets the place next.
  const pkcs8 = Buffer.alloc(PKCS8_HEAD.length + KEY_SIZE)
  pkcs8.set(PKCS8_HEAD)
  pkcs8.set(secret, PKCS8_HEAD.length)
  return publicText(createPublicKey(createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" })))
}

function publicText(key: KeyObject): string {
  return encodeZ85(key.export({ format: "der", type: "spki" }).subarray(-KEY_SIZE))
}

/** Groups of RADIO and DISH (48/RADIO-DISH): up to 255 bytes without a zero, compared whole. */
import { ZmqError } from "../../src/index.js"

/** ZMQ_GROUP_MAX_LENGTH. */
export const LONGEST_GROUP = 255

/** The bytes of a group. TypeError for a wrong type, EINVAL for one that is missing, too long or has a zero in it. */
export function toGroup(group: unknown): Buffer {
  if (group === undefined) throw new ZmqError("EINVAL", { detail: "a group is needed" })
  if (typeof group !== "string" && !(group instanceof Uint8Array)) {
    throw new TypeError("Value must be a string or buffer")
  }
  const bytes = Buffer.from(group as string)
  if (bytes.length > LONGEST_GROUP || bytes.includes(0)) {
    throw new ZmqError("EINVAL", { detail: `expected a group of up to ${LONGEST_GROUP} bytes without zeros` })
  }
  return bytes
}

/** A group by which things can be found: a character for each byte. */
export function groupKey(bytes: Uint8Array, from = 0): string {
  return (bytes as Buffer).toString("latin1", from)
}

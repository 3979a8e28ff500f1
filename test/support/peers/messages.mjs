/**
 * What the peer programs and the tests that drive them say about messages: bytes made from a size and a seed, a short
 * report of a frame (so that 16 MiB never travel through a pipe as text), and numbered messages with the tally that
 * checks them. A numbered message is `frames` frames of `size` bytes; each frame tells its sender, its number, its
 * place in the message and its size, and the rest is one repeated byte. So a message that was cut, or mixed from two,
 * cannot pass for a whole one. The pyzmq program has the first two of these in Python.
 */

import { createHash } from "node:crypto"

const REPORT_IN_FULL = 256
const STAMP = 16

/** `size` bytes that look random and are the same for the same seed everywhere (SHAKE-256 of the seed as text). */
export function pattern(size, seed) {
  if (size === 0) return Buffer.alloc(0)
  return createHash("shake256", { outputLength: size }).update(String(seed)).digest()
}

/** A frame as a report: base64 up to 256 bytes, beyond that its size and SHA-256. */
export function report(frame) {
  if (frame.length <= REPORT_IN_FULL) return Buffer.from(frame).toString("base64")
  return { size: frame.length, sha256: createHash("sha256").update(frame).digest("hex") }
}

/** A frame from its description in a command: base64 text, or `{ size, seed }`. */
export function frameOf(description) {
  if (typeof description === "string") return Buffer.from(description, "base64")
  return pattern(description.size, description.seed)
}

/** Runs of one repeated byte, as long as the longest frame that asked; few, because a run of a large one is large. */
const runs = []

/** What fills frame `index` of message `number` behind its stamp. */
function filling(number, index, size) {
  const kind = (number + index) % 5
  if (runs[kind] === undefined || runs[kind].length < size) runs[kind] = Buffer.alloc(size, 0x41 + kind)
  return runs[kind]
}

/** Message number `number` of `sender`: `frames` frames of `size` bytes (16 or more) each. */
export function stamp(sender, number, frames, size) {
  const message = []
  for (let index = 0; index < frames; index++) {
    const frame = Buffer.allocUnsafe(size)
    frame.writeUInt32BE(sender, 0)
    frame.writeUInt32BE(number, 4)
    frame.writeUInt16BE(index, 8)
    frame.writeUInt16BE(frames, 10)
    frame.writeUInt32BE(size, 12)
    filling(number, index, size).copy(frame, STAMP, STAMP, size)
    message.push(frame)
  }
  return message
}

/** Why this is not a whole numbered message, or null when it is one. */
function tear(message) {
  const first = message[0]
  if (first === undefined || first.length < STAMP) return "no stamp"
  const sender = first.readUInt32BE(0)
  const number = first.readUInt32BE(4)
  const frames = first.readUInt16BE(10)
  const size = first.readUInt32BE(12)
  if (message.length !== frames) return `${message.length} frames of ${frames}`
  for (let index = 0; index < frames; index++) {
    const frame = message[index]
    if (frame.length !== size) return `frame ${index} has ${frame.length} bytes of ${size}`
    const own = frame.readUInt32BE(0) === sender && frame.readUInt32BE(4) === number && frame.readUInt16BE(8) === index
    if (!own) return `frame ${index} is of another message`
    const rest = filling(number, index, size)
    if (frame.compare(rest, STAMP, size, STAMP, size) !== 0) return `frame ${index} has bytes that are not its own`
  }
  return null
}

/** Counts numbered messages: how many came, whether each was whole, and each sender's order and gaps. */
export class Tally {
  #received = 0
  #torn = 0
  #tear = null
  #senders = new Map()

  add(message) {
    const why = tear(message)
    if (why !== null) {
      this.#torn++
      this.#tear ??= why
      return
    }
    this.#received++
    const sender = message[0].readUInt32BE(0)
    const number = message[0].readUInt32BE(4)
    const known = this.#senders.get(sender)
    if (known === undefined) {
      this.#senders.set(sender, { received: 1, first: number, last: number, missed: 0, backwards: 0 })
      return
    }
    known.received++
    if (number <= known.last) known.backwards++
    else known.missed += number - known.last - 1
    known.last = number
  }

  summary() {
    const senders = Object.fromEntries([...this.#senders].map(([id, seen]) => [id, { ...seen }]))
    return { received: this.#received, torn: this.#torn, tear: this.#tear, senders }
  }
}

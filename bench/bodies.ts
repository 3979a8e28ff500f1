/**
 * Message bodies that carry a sequence number, and the check that they arrive whole and in order.
 *
 * An engine may send a frame by reference, so a buffer that was sent must stay as it is until it is on the wire. Up to
 * `ringLimit` bytes the bodies are a ring of distinct buffers, longer than what can be under way at default
 * high-water marks (1,000 at each end and a batch in the reader's hands); larger ones are allocated one a message.
 */

const ringLength = 4096
const ringLimit = 4096

/** Gives the body that carries `sequence`. */
export type Bodies = (sequence: number) => Buffer

export function bodies(size: number): Bodies {
  if (size < 4) throw new RangeError(`a body holds a sequence number of 4 bytes, so ${size} is too small`)
  if (size > ringLimit) {
    return sequence => {
      const body = Buffer.allocUnsafe(size)
      body.writeUInt32LE(sequence, 0)
      return body
    }
  }
  const arena = Buffer.alloc(ringLength * size)
  const ring = Array.from({ length: ringLength }, (_, slot) => arena.subarray(slot * size, (slot + 1) * size))
  return sequence => {
    const body = ring[sequence % ringLength]!
    body.writeUInt32LE(sequence, 0)
    return body
  }
}

/** Throws unless `frame` is the body that carries `sequence`. */
export function checkBody(frame: Buffer | undefined, sequence: number, size: number): void {
  if (frame === undefined || frame.length !== size || frame.readUInt32LE(0) !== sequence) {
    const came = frame === undefined ? "none" : frame.length < 4 ? "one" : `message ${frame.readUInt32LE(0)}`
    throw new Error(`expected message ${sequence} of ${size} B, got ${came} of ${frame?.length ?? 0} B`)
  }
}

/** What a publisher says until all of its subscribers have heard it; no body is as short. */
export const hello = Buffer.from("hi")

export function isHello(frame: Buffer | undefined): boolean {
  return frame !== undefined && frame.length === hello.length
}

/** decode(encode(messages)) = messages: for any frames, cut anywhere, with a reader that is full whenever it likes. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Message } from "../../src/message.js"
import { OutBatch, SlabPool } from "../../src/wire/batch.js"
import { Decoder } from "../../src/wire/decoder.js"
import { CountingBytes, concat, toHex } from "../support/link.js"
import { message as referenceMessage } from "../support/raw-zmtp.js"

const frame = fc.oneof(
  { weight: 5, arbitrary: fc.uint8Array({ maxLength: 16 }) },
  { weight: 2, arbitrary: fc.uint8Array({ minLength: 60, maxLength: 70 }) },
  { weight: 2, arbitrary: fc.uint8Array({ minLength: 250, maxLength: 300 }) },
  { weight: 1, arbitrary: fc.integer({ min: 5_000, max: 70_000 }).map(size => new Uint8Array(size).fill(size)) },
)
const messages = fc.array(fc.array(frame, { minLength: 1, maxLength: 6 }), { maxLength: 12 })
const hexOf = (messages: Message[]) => messages.map(message => message.map(toHex))

/** An arbitrary list of places to cut a stream at: mostly small steps, as the interesting places are headers. */
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 12 }) },
    { weight: 1, arbitrary: fc.integer({ min: 13, max: 30_000 }) },
  ),
  {
    minLength: 1,
    maxLength: 60,
  },
)

function* cut(stream: Uint8Array, steps: readonly number[]): Generator<Uint8Array> {
  let at = 0
  for (const step of steps) {
    if (at < stream.length) yield stream.slice(at, at + step)
    at += step
  }
  if (at < stream.length) yield stream.slice(at)
}

function decode(chunks: Iterable<Uint8Array>, enough: () => boolean): { messages: Message[]; pending: number } {
  const messages: Message[] = []
  const sink = {
    onMessage: (message: Message) => {
      messages.push(message)
      return !enough()
    },
    onCommand: () => true,
  }
  const decoder = new Decoder(new CountingBytes(), { maxMessageSize: -1, maxFrames: 65_536 }, sink)
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const next = decoder.decode(chunk, at)
      expect(next).toBeGreaterThan(at)
      at = next
    }
  }
  return { messages, pending: decoder.pendingBytes }
}

function encode(messages: Message[]): Uint8Array {
  const batch = new OutBatch(new SlabPool(size => new Uint8Array(size)))
  for (const message of messages)
    message.forEach((frame, at) => void batch.frame(at < message.length - 1 ? 1 : 0, frame))
  return concat(batch.take())
}

describe("messages", () => {
  it("come back as they were sent", () => {
    fc.assert(
      fc.property(messages, steps, fc.infiniteStream(fc.boolean()), (sent, steps, moods) => {
        const { messages, pending } = decode(cut(encode(sent), steps), () => moods.next().value ?? false)
        expect(hexOf(messages)).toEqual(hexOf(sent))
        expect(pending).toBe(0)
      }),
      { numRuns: 150 },
    )
  })

  it("are written as an encoder writes them that knows nothing of ours", () => {
    fc.assert(
      fc.property(messages, sent => {
        const expected = sent.map(message => referenceMessage(...message.map(frame => Buffer.from(frame))))
        expect(Buffer.compare(encode(sent), Buffer.concat(expected))).toBe(0)
      }),
      { numRuns: 100 },
    )
  })

  it("of which the last is cut off come back but for that one, whose bytes are counted as pending", () => {
    fc.assert(
      fc.property(
        messages,
        fc.array(frame, { minLength: 1, maxLength: 4 }),
        steps,
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (sent, last, steps, part) => {
          const tail = encode([last])
          const stream = concat([encode(sent), tail.slice(0, Math.floor(tail.length * part))])
          const { messages, pending } = decode(cut(stream, steps), () => false)
          expect(hexOf(messages)).toEqual(hexOf(sent))
          expect(pending).toBe(bodyBytes(last, Math.floor(tail.length * part)))
        },
      ),
      { numRuns: 100 },
    )
  })
})

/** How many of the first `bytes` bytes of an encoded message are not headers. */
function bodyBytes(message: Message, bytes: number): number {
  let left = bytes
  let sum = 0
  for (const { length } of message) {
    left -= Math.min(left, length > 255 ? 9 : 2)
    const body = Math.min(left, length)
    left -= body
    sum += body
  }
  return sum
}

/**
 * A message that is encoded once for many connections: the bytes are those of 37/ZMTP, no later message changes them, and
 * batches put them in order among the frames that are only theirs.
 */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { OutBatch, SlabPool } from "../../src/wire/batch.js"
import { SharedEncoder } from "../../src/wire/shared-encoder.js"
import { concat, toHex } from "../support/link.js"
import { frame as referenceFrame, message as referenceMessage } from "../support/raw-zmtp.js"

const rubbish = (size: number) => new Uint8Array(size).fill(0xaa)
const newBatch = () => new OutBatch(new SlabPool(rubbish))
const reference = (message: readonly Uint8Array[]) => referenceMessage(...message.map(frame => Buffer.from(frame)))

const frame = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 20 }) },
  { weight: 2, arbitrary: fc.uint8Array({ minLength: 253, maxLength: 258 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1000, max: 9000 }).map(size => new Uint8Array(size).fill(size)) },
)
const message = fc.array(frame, { minLength: 1, maxLength: 4 })

describe("a message encoded for many", () => {
  it("is what each of them would have encoded, and stays so while others follow", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 60 }), messages => {
        const encoder = new SharedEncoder(rubbish)
        const ranges: { range: Uint8Array; expected: Buffer }[] = []
        for (const message of messages) {
          const encoded = encoder.encode(message)
          const expected = reference(message)
          // Headers count nine bytes each, whatever they take: what is near the mark may go either way.
          if (encoded === null) expect(expected.length + 7 * message.length).toBeGreaterThan(8 * 1024)
          else ranges.push({ range: encoded.slab.subarray(encoded.from, encoded.to), expected })
        }
        for (const { range, expected } of ranges) expect(Buffer.compare(range, expected)).toBe(0)
      }),
      { numRuns: 100 },
    )
  })

  it("is not shared when it is large: each connection refers to its frames", () => {
    const encoder = new SharedEncoder(rubbish)
    expect(encoder.encode([new Uint8Array(8 * 1024 - 9)])).not.toBeNull()
    expect(encoder.encode([new Uint8Array(8 * 1024 - 8)])).toBeNull()
    expect(encoder.encode([new Uint8Array(5000), new Uint8Array(5000)])).toBeNull()
  })

  it("stays in one slab with the others, which become one range", () => {
    const encoder = new SharedEncoder(rubbish)
    const batch = newBatch()
    for (let n = 0; n < 100; n++) batch.append(encoder.encode([Uint8Array.of(n)])!)
    expect(batch.full).toBe(false)
    const ranges = batch.take()
    expect(ranges).toHaveLength(1)
    expect(toHex(ranges[0]!)).toBe(Array.from({ length: 100 }, (_, n) => toHex(Uint8Array.of(0, 1, n))).join(""))
  })

  it("comes in its place among frames and raw bytes of one connection only", () => {
    const step = fc.tuple(fc.constantFrom("append", "append", "skip", "frame", "raw", "take"), message)
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const encoder = new SharedEncoder(rubbish)
        const [batch, other] = [newBatch(), newBatch()]
        const expected: Uint8Array[] = []
        const taken: Uint8Array[] = []
        for (const [op, message] of steps) {
          const body = message[0]!
          if (op === "append" || op === "skip") {
            const encoded = encoder.encode(message)
            if (encoded === null) continue
            other.append(encoded) // "skip": a message for the other one only
            if (op === "skip") continue
            batch.append(encoded)
            expected.push(reference(message))
          } else if (op === "frame") {
            batch.frame(4, body)
            expected.push(referenceFrame(Buffer.from(body), 4))
          } else if (op === "raw") {
            batch.raw(body.slice(0, 64))
            expected.push(body.slice(0, 64))
          } else taken.push(...batch.take())
          const waiting = concat(expected).length - concat(taken).length
          expect(batch.bytes).toBe(waiting)
        }
        expect(toHex(concat([...taken, ...batch.take()]))).toBe(toHex(concat(expected)))
      }),
      { numRuns: 200 },
    )
  })

  it("keeps the slab of its own that a batch has", () => {
    const encoder = new SharedEncoder(rubbish)
    const pool = new SlabPool(rubbish)
    const batch = new OutBatch(pool)
    batch.frame(4, Uint8Array.of(1))
    const encoded = encoder.encode([Uint8Array.of(2)])!
    batch.append(encoded)
    const ranges = batch.take()
    batch.recycle()
    expect(pool.take(0).buffer).toBe(ranges[0]!.buffer)
    expect(pool.take(0).buffer).not.toBe(encoded.slab.buffer)
  })
})

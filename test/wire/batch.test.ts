/**
 * What is encoded for a peer: the ranges that a batch hands over, put behind each other, are the frames as 37/ZMTP writes
 * them; and the slabs that they lie in serve again, here or in another batch, without changing what is still to be written.
 */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { BY_REFERENCE, OutBatch, SlabPool } from "../../src/wire/batch.js"
import { concat, toHex } from "../support/link.js"
import { frame as referenceFrame } from "../support/raw-zmtp.js"

/** A pool whose memory is full of rubbish, and counted. */
function countedPool(): { pool: SlabPool; made: Uint8Array[] } {
  const made: Uint8Array[] = []
  const pool = new SlabPool(size => {
    const slab = new Uint8Array(size).fill(0xaa)
    made.push(slab)
    return slab
  })
  return { pool, made }
}

const patterned = (size: number, seed: number) =>
  Uint8Array.from({ length: size }, (_, at) => (at * 31 + seed * 17) & 0xff)

/** Sizes around every mark that the encoder knows, and a few that are in no way special. */
const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 40 }) },
  { weight: 4, arbitrary: fc.constantFrom(11, 12, 13, 253, 254, 255, 256, 257, 258) },
  { weight: 2, arbitrary: fc.integer({ min: 200, max: 5000 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      4086,
      4087,
      4094,
      4095,
      4096,
      32_758,
      32_759,
      32_760,
      BY_REFERENCE - 1,
      BY_REFERENCE,
      BY_REFERENCE + 1,
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom(65_535, 65_536, 131_062, 131_072, 200_000) },
)

describe("the ranges of a batch, behind each other,", () => {
  it("are the frames as the reference encodes them", () => {
    const flags = fc.constantFrom(0, 1, 4)
    fc.assert(
      fc.property(fc.array(fc.tuple(flags, size), { maxLength: 40 }), frames => {
        const batch = new OutBatch(countedPool().pool)
        const expected = frames.map(([flags, size], at) => referenceFrame(Buffer.from(patterned(size, at)), flags))
        frames.forEach(([flags, size], at) => void batch.frame(flags, patterned(size, at)))
        expect(batch.bytes).toBe(expected.reduce((sum, bytes) => sum + bytes.length, 0))
        expect(Buffer.compare(concat(batch.take()), Buffer.concat(expected))).toBe(0)
        expect(batch.bytes).toBe(0)
        expect(batch.take()).toEqual([])
      }),
      { numRuns: 60 },
    )
  })

  it("hold bodies from 32 KiB by reference, shorter ones as copies", () => {
    const batch = new OutBatch(countedPool().pool)
    const long = patterned(BY_REFERENCE, 1)
    const short = patterned(BY_REFERENCE - 1, 2)
    batch.frame(0, long)
    batch.frame(0, short)
    const ranges = batch.take()
    expect(ranges).toContain(long)
    expect(ranges.some(range => range.buffer === short.buffer)).toBe(false)
  })

  it("are what was encoded, whatever happens to a copied body afterwards", () => {
    const batch = new OutBatch(countedPool().pool)
    for (const size of [1, 12, 13, 255, 256, BY_REFERENCE - 1]) {
      const body = patterned(size, 3)
      batch.frame(0, body)
      body.fill(0)
      expect(Buffer.compare(concat(batch.take()), referenceFrame(Buffer.from(patterned(size, 3))))).toBe(0)
    }
  })

  it("write sizes above 2^32 in eight bytes", () => {
    const batch = new OutBatch(countedPool().pool)
    const huge = { length: 2 ** 32 + 258 } as Uint8Array // no such memory; by reference it is never looked into
    batch.frame(1, huge)
    expect(toHex(batch.take()[0]!)).toBe("030000000100000102")
    expect(batch.bytes).toBe(0)
  })
})

describe("a batch is full", () => {
  it("when it holds enough for one large write, copied or by reference, and not before", () => {
    const batch = new OutBatch(countedPool().pool)
    for (const size of [200, BY_REFERENCE]) {
      let bytes = 0
      for (; !batch.full; bytes += size) batch.frame(0, patterned(size, 0))
      expect(bytes).toBeGreaterThan(200_000)
      expect(bytes).toBeLessThan(300_000)
      batch.take()
      expect(batch.full).toBe(false)
    }
  })
})

describe("slabs", () => {
  it("one serves an idle and busy peer again and again", () => {
    const { pool, made } = countedPool()
    const batch = new OutBatch(pool)
    for (let round = 0; round < 1000; round++) {
      batch.frame(0, patterned(20, round))
      batch.take()
      batch.recycle()
    }
    expect(made).toHaveLength(1)
  })

  it("one serves many peers, one after the other: an idle peer owns none", () => {
    const { pool, made } = countedPool()
    const batches = Array.from({ length: 500 }, () => new OutBatch(pool))
    for (const batch of batches) {
      batch.raw(patterned(64, 1))
      batch.take()
      batch.recycle()
    }
    expect(made).toHaveLength(1)
  })

  it("are not given back while something in them waits to be taken", () => {
    const { pool, made } = countedPool()
    const [one, other] = [new OutBatch(pool), new OutBatch(pool)]
    one.frame(0, patterned(10, 1))
    one.recycle()
    other.frame(0, patterned(10, 2))
    expect(made).toHaveLength(2)
    expect(Buffer.compare(concat(one.take()), referenceFrame(Buffer.from(patterned(10, 1))))).toBe(0)
  })

  it("grow with the traffic of a peer and shrink with it", () => {
    const batch = new OutBatch(countedPool().pool)
    const slabSize = (frames: number) => {
      for (let at = 0; at < frames; at++) batch.frame(0, patterned(200, at))
      const size = batch.take().at(-1)!.buffer.byteLength
      batch.recycle()
      return size
    }
    expect(slabSize(1)).toBe(1024)
    for (let at = 0; at < 5; at++) slabSize(500)
    expect(slabSize(500)).toBe(256 * 1024)
    for (let at = 0; at < 5; at++) slabSize(1)
    expect(slabSize(3)).toBe(1024)
  })

  it("all come back when all is written, those that overflowed as well", () => {
    const { pool, made } = countedPool()
    const batch = new OutBatch(pool)
    const round = () => {
      for (let at = 0; at < 40; at++) batch.frame(0, patterned(20_000, at))
      batch.take()
      batch.recycle()
    }
    for (let at = 0; at < 3; at++) round()
    const before = made.length
    for (let at = 0; at < 5; at++) round()
    expect(made.slice(before).map(slab => slab.length)).toEqual([])
  })

  it("never hold the bytes of two batches, or of two times, at once", () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ op: fc.constant("frame" as const), flags: fc.constantFrom(0, 1, 4), size }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant("raw" as const), size: fc.integer({ min: 0, max: 64 }) }) },
      { weight: 2, arbitrary: fc.record({ op: fc.constant("take" as const) }) },
      { weight: 3, arbitrary: fc.record({ op: fc.constant("written" as const) }) },
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), step), { maxLength: 120 }), steps => {
        const { pool } = countedPool()
        const peers = [0, 1, 2].map(() => ({
          batch: new OutBatch(pool),
          expected: [] as Uint8Array[],
          taken: [] as { ranges: Uint8Array[]; bytes: Uint8Array }[],
        }))
        const written = ({ batch, taken }: (typeof peers)[number]) => {
          for (const { ranges, bytes } of taken) expect(Buffer.compare(concat(ranges), bytes)).toBe(0)
          taken.length = 0
          batch.recycle()
        }
        const take = ({ batch, expected, taken }: (typeof peers)[number]) => {
          const ranges = batch.take()
          taken.push({ ranges, bytes: concat(expected) })
          expected.length = 0
        }
        let seed = 0
        for (const [index, step] of steps) {
          const peer = peers[index]!
          if (step.op === "frame") {
            const body = patterned(step.size, seed++)
            peer.batch.frame(step.flags, body)
            peer.expected.push(referenceFrame(Buffer.from(body), step.flags))
          } else if (step.op === "raw") {
            const bytes = patterned(step.size, seed++)
            peer.batch.raw(bytes)
            peer.expected.push(bytes)
          } else if (step.op === "take") take(peer)
          else written(peer)
        }
        for (const peer of peers) {
          take(peer)
          written(peer)
        }
      }),
      { numRuns: 150 },
    )
  })

  it("a pool keeps only so many, and none twice", () => {
    const { pool, made } = countedPool()
    for (const level of [0, 1, 2]) {
      const taken = Array.from({ length: 300 }, () => pool.take(level))
      expect(new Set(taken).size).toBe(300)
      for (const slab of taken) pool.give(slab)
      const before = made.length
      const again = Array.from({ length: 300 }, () => pool.take(level))
      expect(new Set(again).size).toBe(300)
      expect(made.length - before).toBe(300 - [256, 64, 16][level]!)
    }
  })
})

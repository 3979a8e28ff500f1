/** The engine of a STREAM: bytes in are messages of one frame, however they were cut; frames out are bytes. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Message } from "../../src/message.js"
import { BY_REFERENCE, OutBatch, SlabPool } from "../../src/wire/batch.js"
import type { EngineSink, PeerInfo } from "../../src/wire/engine.js"
import { RawEngine } from "../../src/wire/raw-engine.js"
import { CountingBytes, concat } from "../support/link.js"
import { pattern } from "../support/streams.js"

class RawEnd implements EngineSink {
  readonly bytes = new CountingBytes()
  readonly batch = new OutBatch(new SlabPool(size => new Uint8Array(size)))
  readonly engine = new RawEngine(this.bytes, this.batch, this)
  readonly frames: Uint8Array[] = []
  peer: PeerInfo | null = null
  reluctant = false

  onReady(peer: PeerInfo): boolean {
    this.peer = peer
    return true
  }

  onMessage(message: Message): boolean {
    expect(message).toHaveLength(1)
    this.frames.push(message[0]!)
    return !this.reluctant
  }

  onOutput(): void {
    throw new Error("it has nothing to say on its own")
  }

  readonly crowded = false

  onDeferred(): void {}

  onFault(error: Error): void {
    throw error
  }
}

const chunk = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 100 }),
  fc.integer({ min: 8190, max: 40_000 }).map(size => new Uint8Array(pattern(size))),
)

describe("the raw engine", () => {
  it("is ready at once, with a peer of whom nothing is known, and says nothing", () => {
    const end = new RawEnd()
    end.engine.start()
    expect(end.peer).toMatchObject({ type: "", mechanism: "NULL", major: 0 })
    expect([end.batch.bytes, end.engine.nextTimeout()]).toEqual([0, Number.POSITIVE_INFINITY])
  })

  it("makes all that comes into frames of 1 to 8192 bytes, whatever it is, stopping wherever the sink has enough", () => {
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 8 }), fc.boolean(), (chunks, reluctant) => {
        const end = new RawEnd()
        end.reluctant = reluctant
        for (const bytes of chunks) {
          for (let at = 0, calls = 0; at < bytes.length; calls++) {
            const next = end.engine.receive(bytes, at)
            expect(next).toBeGreaterThan(at)
            if (reluctant) expect(next - at).toBeLessThanOrEqual(8192)
            else expect([next, calls]).toEqual([bytes.length, 0])
            at = next
          }
        }
        for (const { length } of end.frames) expect(length >= 1 && length <= 8192).toBe(true)
        expect(Buffer.compare(concat(end.frames), concat(chunks))).toBe(0)
      }),
      { numRuns: 100 },
    )
  })

  it("takes the bytes that look like a greeting, or like a frame of endless length, for what they are: bytes", () => {
    const end = new RawEnd()
    const bytes = Uint8Array.of(0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0x02, ...new Array(8).fill(0xff))
    expect(end.engine.receive(bytes, 0)).toBe(bytes.length)
    expect(end.frames).toEqual([bytes])
    expect(end.engine.pendingBytes).toBe(0)
  })

  it("copies short frames, and lends views of the chunk for long ones", () => {
    const end = new RawEnd()
    const memory = new Uint8Array(pattern(20_000))
    end.engine.receive(memory.subarray(100, 164), 0)
    expect([end.bytes.copies, end.bytes.views]).toEqual([1, 0])
    end.engine.receive(memory.subarray(1000, 11_000), 0)
    expect([end.bytes.copies, end.bytes.views, end.bytes.allocated]).toEqual([1, 2, 0])
    const [short, ...long] = end.frames
    expect(short!.buffer).not.toBe(memory.buffer)
    expect(long.map(({ buffer, byteOffset, length }) => [buffer === memory.buffer, byteOffset, length])).toEqual([
      [true, 1000, 8192],
      [true, 9192, 1808],
    ])
  })

  it("puts frames out as they are, large ones by reference; what was encoded for others is not looked at", () => {
    const end = new RawEnd()
    const large = new Uint8Array(pattern(BY_REFERENCE))
    end.engine.encode([Uint8Array.of(1, 2), Uint8Array.of(3)], null)
    end.engine.encode([large], { slab: new Uint8Array(10), from: 0, to: 10 })
    end.engine.encode([Uint8Array.of(4)], null)
    const ranges = end.batch.take()
    expect(Buffer.compare(concat(ranges), concat([Uint8Array.of(1, 2, 3), large, Uint8Array.of(4)]))).toBe(0)
    expect(ranges[1]).toBe(large)
  })
})

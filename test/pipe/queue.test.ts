/**
 * One direction of a pipe against a small model of libzmq's rule (pipe_t::check_hwm, compute_lwm): full while
 * `written - acknowledged >= mark`; the reader acknowledges after every (mark + 1) / 2 messages. And what libzmq does not
 * have: marks in bytes, portions below the marks, and no waiting for a credit that cannot come.
 */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Marks, Queue } from "../../src/pipe/queue.js"
import { marks } from "./pipes.js"

const GiB = 2 ** 30

/** libzmq's pipe, as far as its marks go, with the mark in bytes and the portion beside it. */
class Model {
  written = 0
  acknowledged = 0
  read = 0
  sizes: number[] = []
  starved = false
  credits = 0

  constructor(
    readonly marks: Marks,
    private readonly portion: number,
  ) {}

  get bytes(): number {
    return this.sizes.reduce((sum, size) => sum + size, 0)
  }

  private get full(): boolean {
    return this.marks.messages > 0 && this.written - this.acknowledged >= this.marks.messages
  }

  hasRoom(size: number): boolean {
    if (this.full || this.sizes.length >= this.portion) return false
    return this.marks.bytes === 0 || this.sizes.length === 0 || this.bytes + size <= this.marks.bytes
  }

  push(size: number): void {
    this.written++
    this.sizes.push(size)
  }

  shift(): number | undefined {
    const size = this.sizes.shift()
    if (size === undefined) return undefined
    this.read++
    const { messages, bytes } = this.marks
    const low = Math.floor((messages + 1) / 2)
    if (low === 0 || this.read % low === 0) this.acknowledged = this.read
    const halfGone = bytes === 0 || this.bytes <= Math.floor(bytes / 2)
    if (this.starved && !this.full && halfGone && this.sizes.length <= this.portion / 4) {
      this.starved = false
      this.credits++
    }
    return size
  }
}

function watched(queue: Queue): { credits: number } {
  const writer = {
    credits: 0,
    onCredit() {
      this.credits++
    },
  }
  queue.writer = writer
  return writer
}

const message = (size: number) => [new Uint8Array(size)]

function fill(queue: Queue, size = 1): number {
  let count = 0
  for (; queue.admits(size) && count < 100_000; count++) queue.push(message(size), size)
  return count
}

describe("a queue, as libzmq's pipe,", () => {
  const step = fc.record({
    push: fc.boolean(),
    size: fc.integer({ min: 0, max: 30 }),
    times: fc.integer({ min: 1, max: 8 }),
  })

  const none = fc.constant(0)
  const endless = fc.constant(Number.POSITIVE_INFINITY)
  for (const [what, byteMark, portion] of [
    ["with a mark in messages", none, endless],
    ["with a mark in bytes beside it", fc.integer({ min: 1, max: 60 }), endless],
    ["with a portion beside it", none, fc.integer({ min: 1, max: 20 })],
    ["with both beside it", fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 20 })],
  ] as const) {
    it(`takes, refuses and gives credit ${what}`, () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 0, max: 12 }),
          byteMark,
          portion,
          fc.array(step, { maxLength: 80 }),
          (mark, byteMark, portion, steps) => {
            const [queue, model] = [new Queue(marks(mark, byteMark)), new Model(marks(mark, byteMark), portion)]
            queue.setPortion(portion)
            const writer = watched(queue)
            for (const { push, size, times } of steps) {
              for (let i = 0; i < times; i++) {
                expect(queue.hasRoom(size)).toBe(model.hasRoom(size))
                if (push) {
                  const admitted = queue.admits(size)
                  expect(admitted).toBe(model.hasRoom(size))
                  if (admitted) {
                    queue.push(message(size), size)
                    model.push(size)
                  } else model.starved = true
                } else {
                  expect(queue.shift()?.[0]?.length).toBe(model.shift())
                }
                expect(queue.length).toBe(model.sizes.length)
                if (model.marks.bytes > 0) expect(queue.bytes).toBe(model.bytes)
                expect(queue.taken).toBe(model.read)
                expect(writer.credits).toBe(model.credits)
              }
            }
          },
        ),
        { numRuns: 300 },
      )
    })
  }

  it("is half full when half of its mark is used up, and never without a mark", () => {
    const [queue, endless] = [new Queue(marks(5)), new Queue(marks(0))]
    const seen = Array.from({ length: 5 }, () => {
      queue.push(message(1), 1)
      endless.push(message(1), 1)
      return queue.halfFull
    })
    expect(seen).toEqual([false, false, true, true, true])
    expect(endless.halfFull).toBe(false)
  })

  it("of 1000 is full at 1000 and has room after 500 reads, not after one", () => {
    const queue = new Queue(marks(1000))
    const writer = watched(queue)
    expect(fill(queue)).toBe(1000)
    for (let i = 0; i < 499; i++) queue.shift()
    expect(queue.hasRoom(0)).toBe(false)
    expect(writer.credits).toBe(0)
    queue.shift()
    expect(writer.credits).toBe(1)
    expect(fill(queue)).toBe(500)
  })

  for (const [mark, reads] of [
    [1, 1],
    [2, 1],
    [3, 2],
    [4, 2],
    [5, 3],
  ] as const) {
    it(`of ${mark} has room again after ${reads} read${reads > 1 ? "s" : ""}`, () => {
      const queue = new Queue(marks(mark))
      const writer = watched(queue)
      expect(fill(queue)).toBe(mark)
      for (let read = 1; read <= reads; read++) {
        expect(writer.credits).toBe(0)
        queue.shift()
      }
      expect(writer.credits).toBe(1)
      expect(fill(queue)).toBe(reads)
    })
  }

  it("without a mark takes all", () => expect(fill(new Queue(marks(0)))).toBe(100_000))

  it("tells of credit once after each refusal, and to nobody who was not refused", () => {
    const queue = new Queue(marks(4))
    const writer = watched(queue)
    for (let i = 0; i < 4; i++) queue.push(message(1), 1)
    for (let i = 0; i < 4; i++) queue.shift()
    expect(writer.credits).toBe(0)
    expect(fill(queue)).toBe(4)
    expect(queue.admits(1)).toBe(false)
    for (let i = 0; i < 4; i++) queue.shift()
    expect(writer.credits).toBe(1)
  })

  it("may be written inside of the call that gives credit", () => {
    const queue = new Queue(marks(4))
    const taken: number[] = []
    let next = 0
    const write = () => {
      while (next < 50 && queue.admits(1)) queue.push([Uint8Array.of(next++)], 1)
    }
    queue.writer = { onCredit: write }
    write()
    for (let m = queue.shift(); m !== undefined; m = queue.shift()) taken.push(m[0]![0]!)
    expect(taken).toEqual(Array.from({ length: 50 }, (_, i) => i))
  })

  it("that is cleared has room at once and tells so", () => {
    const queue = new Queue(marks(10))
    const writer = watched(queue)
    fill(queue, 5)
    expect(queue.clear()).toBe(10)
    expect([queue.length, queue.bytes, writer.credits]).toEqual([0, 0, 1])
    expect(fill(queue)).toBe(10)
    expect(queue.clear()).toBe(10)
    expect(queue.clear()).toBe(0)
  })
})

describe("a mark in bytes", () => {
  it("lets a larger message pass, but only alone", () => {
    const queue = new Queue(marks(0, 100))
    const writer = watched(queue)
    expect(queue.admits(1000)).toBe(true)
    queue.push(message(1000), 1000)
    expect(queue.admits(0)).toBe(false)
    queue.shift()
    expect(writer.credits).toBe(1)
    queue.push(message(1), 1)
    expect(queue.admits(1000)).toBe(false)
    expect(queue.admits(99)).toBe(true)
    expect(queue.admits(100)).toBe(false)
  })

  it("counts bytes that belong to the queue elsewhere", () => {
    const queue = new Queue(marks(0, 100))
    queue.push(message(50), 50)
    expect(queue.hasRoom(0, 50)).toBe(true)
    expect(queue.hasRoom(0, 51)).toBe(false)
    expect(queue.hasRoom(1, 50)).toBe(false)
    queue.shift()
    expect(queue.hasRoom(0, 1000)).toBe(true)
  })

  it("gives credit at half of it", () => {
    const queue = new Queue(marks(0, 100))
    const writer = watched(queue)
    for (let i = 0; i < 10; i++) queue.push(message(10), 10)
    expect(queue.admits(1)).toBe(false)
    for (let i = 0; i < 4; i++) queue.shift()
    expect(writer.credits).toBe(0)
    queue.shift()
    expect(writer.credits).toBe(1)
  })

  for (const [what, byteMark] of [
    ["2 GiB - 1", 2 * GiB - 1],
    ["2 GiB", 2 * GiB],
    ["3 GiB", 3 * GiB],
    ["4 GiB", 4 * GiB],
    ["the largest that the option takes", Number.MAX_SAFE_INTEGER],
  ] as const) {
    it(`of ${what} does not keep credit back from a writer that the other mark stopped`, () => {
      const queue = new Queue(marks(4, byteMark))
      const writer = watched(queue)
      expect(fill(queue)).toBe(4)
      queue.shift()
      queue.shift()
      expect(writer.credits).toBe(1)
    })
  }

  it("of 4 GiB gives credit at half of it, not when all is gone", () => {
    const queue = new Queue(marks(0, 4 * GiB))
    const writer = watched(queue)
    const huge = [{ length: GiB } as Uint8Array] // a queue looks at nothing but the length
    for (let i = 0; i < 4; i++) queue.push(huge, GiB)
    expect(queue.admits(1)).toBe(false)
    queue.shift()
    queue.shift()
    expect(writer.credits).toBe(1)
  })
})

describe("marks that change", () => {
  it("takes a mark in bytes for what is in it already", () => {
    const queue = new Queue(marks(0))
    for (const size of [3, 4, 5]) queue.push(message(size), size)
    queue.setMarks({ ...marks(0), bytes: 20 })
    expect(queue.bytes).toBe(12)
    expect([queue.hasRoom(8), queue.hasRoom(9)]).toEqual([true, false])
    queue.shift()
    expect(queue.bytes).toBe(9)
  })

  it("upwards give credit at once", () => {
    const queue = new Queue(marks(2))
    const writer = watched(queue)
    expect(fill(queue)).toBe(2)
    queue.setMarks(marks(5))
    expect(writer.credits).toBe(1)
    expect(fill(queue)).toBe(3)
    queue.setMarks(marks(0))
    expect(writer.credits).toBe(2)
  })

  it("downwards hold when what is above them has been read", () => {
    const queue = new Queue(marks(100))
    fill(queue)
    queue.setMarks(marks(10))
    for (let i = 0; i < 100; i++) queue.shift()
    expect(fill(queue)).toBe(10)
  })

  it("never leave a queue full that is empty: nobody could ever make room in it", () => {
    const step = fc.oneof(
      fc.record({ op: fc.constant("fill" as const), count: fc.integer({ min: 1, max: 60 }) }),
      fc.record({ op: fc.constant("read" as const), count: fc.integer({ min: 1, max: 60 }) }),
      fc.record({ op: fc.constant("mark" as const), count: fc.integer({ min: 0, max: 60 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), steps => {
        const queue = new Queue(marks(60))
        for (const { op, count } of steps) {
          if (op === "mark") queue.setMarks(marks(count))
          for (let i = 0; i < count && op === "fill" && queue.admits(1); i++) queue.push(message(1), 1)
          for (let i = 0; i < count && op === "read"; i++) queue.shift()
          if (queue.length === 0) expect(queue.hasRoom(1)).toBe(true)
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe("conflate", () => {
  it("keeps the newest message, whatever the marks, and never waits", () => {
    const queue = new Queue(marks(1, 1, true))
    const writer = watched(queue)
    for (let i = 0; i < 50; i++) {
      expect(queue.admits(1000)).toBe(true)
      queue.push([Uint8Array.of(i)], 1)
      expect([queue.length, queue.bytes]).toEqual([1, 1])
    }
    expect(queue.shift()).toEqual([Uint8Array.of(49)])
    expect(queue.shift()).toBeUndefined()
    expect([queue.length, queue.bytes, writer.credits]).toEqual([0, 0, 0])
  })
})

describe("a loose mark in bytes", () => {
  const loose = (bytes: number, messages = 0): Marks => ({ ...marks(messages), looseBytes: bytes })

  it("bounds a queue like another, by one portion of what comes more, and its writer always hears of room", () => {
    const mark = 100
    const step = fc.record({ take: fc.nat(6), sizes: fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 6 }) })
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 12 }), fc.array(step, { maxLength: 80 }), (messages, steps) => {
        const queue = new Queue(loose(mark, messages))
        const writer = watched(queue)
        const sizes: number[] = []
        const held = () => sizes.reduce((sum, size) => sum + size, 0)
        let largest = 0
        let refusedAt = -1
        for (const { take, sizes: portion } of steps) {
          let came = 0
          for (const size of portion) {
            if (!queue.admits(size)) {
              refusedAt = writer.credits
              break
            }
            queue.push(message(size), size)
            sizes.push(size)
            came += size
          }
          queue.came(came, 0)
          largest = Math.max(largest, came)
          expect(held()).toBeLessThanOrEqual(mark + largest)
          for (let count = 0; count < take; count++) expect(queue.shift()?.[0]?.length).toBe(sizes.shift())
        }
        const { credits } = writer
        const waits = !queue.admits(0) || refusedAt === credits
        while (queue.shift() !== undefined);
        expect(writer.credits).toBe(waits ? credits + 1 : credits)
        expect(queue.hasRoom(0)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it("does not hold while little is there, however much has come", () => {
    const queue = new Queue(loose(100))
    for (let count = 0; count < 50; count++) {
      queue.push(message(10), 10)
      queue.came(10, 0)
      expect(queue.hasRoom(1000)).toBe(true)
      queue.shift()
    }
  })

  it("counts a message that is not whole, and lets that in alone", () => {
    const queue = new Queue(loose(100))
    queue.push(message(1), 1)
    queue.came(1, 0)
    queue.came(120, 120)
    expect(queue.hasRoom(0, 120)).toBe(false)
    queue.shift()
    expect(queue.hasRoom(0, 120)).toBe(true)
  })

  it("counts the frames of a message that has more than 16", () => {
    const queue = new Queue(loose(100_000))
    const many = Array.from({ length: 1000 }, () => new Uint8Array(0))
    queue.push(many, 0)
    queue.came(96_000, 0)
    expect(queue.hasRoom(0)).toBe(true)
    queue.push(many, 0)
    queue.came(96_000, 0)
    expect(queue.hasRoom(0)).toBe(false)
    queue.shift()
    queue.shift()
    expect(queue.hasRoom(0)).toBe(true)
  })

  it("gives way to a mark that is set", () => {
    const queue = new Queue(loose(100))
    for (let count = 0; count < 3; count++) queue.push(message(10), 10)
    queue.setMarks(marks(0, 20))
    expect([queue.bytes, queue.hasRoom(1)]).toEqual([30, false])
    queue.setMarks(loose(100))
    expect(queue.hasRoom(1000)).toBe(true)
    queue.came(80, 0)
    expect(queue.hasRoom(1)).toBe(true)
  })
})

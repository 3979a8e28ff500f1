/** Outflow and Inflow against each other: whatever is sent arrives whole and in order, and never more of it waits than the window. */
import fc from "fast-check"
import { expect, it } from "vitest"
import { costOf, PIECE } from "../../patterns/service/frames.js"
import { Inflow, WINDOW } from "../../patterns/service/inflow.js"
import { Outflow } from "../../patterns/service/outflow.js"

type Message =
  | { readonly kind: "piece"; readonly n: number; readonly bytes: Uint8Array }
  | { readonly kind: "item"; readonly n: number; readonly pieces: number; readonly bytes: Uint8Array }

/** What the largest message costs. */
const MOST = costOf(PIECE)
const UNIT = PIECE / MOST

const bodies = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.nat(100) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(UNIT - 1, UNIT, UNIT + 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 1),
    },
    { weight: 1, arbitrary: fc.nat(5 * PIECE) },
  ),
  { maxLength: 60 },
)

/** What happens next: the reader reads, or a message arrives, perhaps twice. */
const steps = fc.infiniteStream(fc.constantFrom("read", "arrive", "again"))

/** A body that can be told from others of its size. */
function bodyOf(size: number, at: number): Buffer {
  const body = Buffer.alloc(size)
  for (let byte = 0; byte < size; byte += 1000) body[byte] = (byte / 1000 + at) % 256
  if (size > 0) body[size - 1] = at % 256
  return body
}

function flows() {
  const wire: Message[] = []
  const sent: Message[] = []
  const out = new Outflow(WINDOW, {
    onPiece: (n, bytes) => push({ kind: "piece", n, bytes }),
    onItem: (n, pieces, bytes) => push({ kind: "item", n, pieces, bytes }),
    pause: () => Promise.resolve(),
  })
  const into = new Inflow(body => body, Number.POSITIVE_INFINITY, {
    onCredit: total => out.grant(total),
    onLeft: () => out.stop(),
  })
  const push = (message: Message) => {
    wire.push(message)
    sent.push(message)
  }
  const take = (message: Message) => {
    if (message.kind === "piece") into.piece(message.n, message.bytes)
    else into.item(message.n, message.pieces, message.bytes)
  }
  return { wire, sent, out, into, take }
}

const settled = async () => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

const cost = (messages: Message[]) => messages.reduce((sum, { bytes }) => sum + costOf(bytes.length), 0)

it("any bodies, at any pace, with anything twice, arrive whole and in order; what waits is bounded", async () => {
  await fc.assert(
    fc.asyncProperty(bodies, steps, async (sizes, steps) => {
      const { wire, sent, out, into, take } = flows()
      let hasEnded = false
      const sending = (async () => {
        for (const [at, size] of sizes.entries()) expect(await out.item(bodyOf(size, at))).toBe(true)
        hasEnded = true
      })()
      const read: Buffer[] = []
      let reading: Promise<unknown> | null = null
      let arrived = 0
      for (const step of steps) {
        await settled()
        if (step === "read" && reading === null && read.length < sizes.length) {
          reading = into.next().then(({ value }) => {
            read.push(value as Buffer)
            reading = null
          })
        } else if (step !== "read" && wire.length > 0) {
          const message = wire.shift()!
          take(message)
          arrived++
          if (step === "again") take(message)
        }
        await settled()
        const unread = sent.slice(0, arrived).filter(({ kind, n }) => kind === "item" && n >= read.length)
        expect(cost([...wire, ...unread])).toBeLessThan(WINDOW + MOST)
        if (hasEnded && read.length === sizes.length) break
      }
      await sending
      into.end(out.items)
      expect(await into.next()).toEqual({ value: undefined, done: true })
      expect(read.map((body, at) => Buffer.compare(body, bodyOf(sizes[at]!, at)))).toEqual(sizes.map(() => 0))
    }),
    { numRuns: 200 },
  )
})

it("a reader that does not read lets no more than the window come, and one message", async () => {
  await fc.assert(
    fc.asyncProperty(bodies, async sizes => {
      const { wire, sent, out, take } = flows()
      const sending = (async () => {
        for (const [at, size] of [...sizes, ...Array.from({ length: 100 }, () => 1)].entries()) {
          if (!(await out.item(bodyOf(size, at)))) return false
        }
        return true
      })()
      for (let idle = 0; idle < 3; idle++) {
        await settled()
        if (wire.length > 0) idle = 0
        for (const message of wire.splice(0)) take(message)
      }
      // Pieces of what nothing is waiting before are credit again when they are there.
      const items = sent.findIndex(({ kind }) => kind === "item")
      expect(cost(sent.slice(items))).toBeLessThan(WINDOW + MOST)
      out.stop()
      expect(await sending).toBe(false)
    }),
    { numRuns: 100 },
  )
})

it("where one message is lost, the next one says so, or the end", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(1, UNIT, PIECE + 1), { minLength: 1, maxLength: 3 }),
      fc.nat(),
      async (sizes, which) => {
        const { wire, out, into, take } = flows()
        for (const [at, size] of sizes.entries()) await out.item(bodyOf(size, at))
        const lost = which % wire.length
        const rest = () => {
          for (const [at, message] of wire.entries()) if (at !== lost) take(message)
          into.end(out.items)
        }
        expect(rest).toThrow(expect.objectContaining({ code: "ELOST" }))
      },
    ),
    { numRuns: 100 },
  )
})

it("a piece is of 256 KiB: smaller ones would be many, and larger ones are no pieces", () => {
  for (const size of [0, 1, PIECE - 1, PIECE + 1]) {
    const { into } = flows()
    expect(() => into.piece(0, Buffer.alloc(size))).toThrow(expect.objectContaining({ code: "EPROTO" }))
  }
})

it("what is sent beyond the credit is EPROTO", () => {
  const { into } = flows()
  for (let n = 0; n < WINDOW; n++) into.item(n, 0, Buffer.alloc(1))
  expect(() => into.item(WINDOW, 0, Buffer.alloc(1))).toThrow(expect.objectContaining({ code: "EPROTO" }))
})

it("a stopped sender sends no more, and who waits for room is told", async () => {
  const { wire, out } = flows()
  for (let n = 0; n < WINDOW; n++) await out.item(Buffer.alloc(1))
  const waiting = [out.item(Buffer.alloc(1)), out.cut(Buffer.alloc(2 * PIECE)), out.room()]
  out.stop()
  expect(await Promise.all(waiting)).toEqual([false, null, false])
  out.grant(1000)
  expect(await out.item(Buffer.alloc(1))).toBe(false)
  expect(wire).toHaveLength(WINDOW)
})

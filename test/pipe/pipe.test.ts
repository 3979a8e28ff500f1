/** A socket's end of the queues to one peer: where its messages go, what is copied, what is told to whom, what is counted. */
import { describe, expect, it } from "vitest"
import type { Message } from "../../src/message.js"
import { Counters, type Drain, type Pipe } from "../../src/pipe/pipe.js"
import { createPipe, marks, Owner, text, words } from "./pipes.js"

/** Takes as many messages as it has room for; pulls from the queue when it is asked, if it may. */
class Sink implements Drain {
  readonly taken: string[] = []
  pulls = 0

  constructor(
    private readonly pipe: Pipe,
    public room: number,
    private readonly pulling = false,
  ) {}

  take(message: Message): boolean {
    if (this.pipe.outbound.length > 0 || this.room === 0) return false
    this.room--
    this.taken.push(words(message[0]!))
    return true
  }

  pull(): void {
    this.pulls++
    if (!this.pulling) return
    for (let message = this.pipe.outbound.shift(); message !== undefined; message = this.pipe.outbound.shift()) {
      this.taken.push(words(message[0]!))
    }
  }
}

describe("outbound", () => {
  it("a message goes straight to the drain while that takes it, and waits in the queue when it does not", () => {
    const pipe = createPipe()
    const sink = new Sink(pipe, 2)
    pipe.drain = sink
    for (const word of ["a", "b", "c", "d"]) expect(pipe.write([text(word)])).toBe(true)
    expect(sink.taken).toEqual(["a", "b"])
    expect(pipe.outbound.length).toBe(2)
    sink.room = 9
    pipe.write([text("e")])
    expect(pipe.outbound.length).toBe(3) // never past those that wait
  })

  it("a full queue asks its drain to make room before it refuses", () => {
    const owner = new Owner()
    const stuck = createPipe(owner, marks(), marks(2))
    stuck.drain = new Sink(stuck, 0)
    expect([stuck.write([text("a")]), stuck.write([text("b")]), stuck.write([text("c")])]).toEqual([true, true, false])
    expect((stuck.drain as Sink).pulls).toBe(1)
    expect(stuck.accepted).toBe(2)

    const flowing = createPipe(owner, marks(), marks(2))
    const sink = new Sink(flowing, 0, true)
    flowing.drain = sink
    for (const word of ["a", "b", "c", "d", "e"]) expect(flowing.write([text(word)])).toBe(true)
    expect([...sink.taken, words(flowing.outbound.shift()![0]!)]).toEqual(["a", "b", "c", "d", "e"])
  })

  it("the owner hears once after a refusal that there is room", () => {
    const owner = new Owner()
    const pipe = createPipe(owner, marks(), marks(4))
    for (let i = 0; i < 4; i++) pipe.write([text("x")])
    expect([pipe.write([text("y")]), pipe.admits(1)]).toEqual([false, false])
    for (let i = 0; i < 4; i++) pipe.outbound.shift()
    expect(owner.writable).toEqual([pipe])
  })

  it("frames of up to 128 bytes are copied when they wait, longer ones are not", () => {
    const pipe = createPipe()
    const [short, long] = [new Uint8Array(128).fill(1), new Uint8Array(129).fill(1)]
    pipe.write([short, long])
    short.fill(2)
    long.fill(2)
    const [first, second] = pipe.outbound.shift()!
    expect(first![0]).toBe(1)
    expect(second).toBe(long)
  })

  it("a message for several peers waits in each queue as an array of its own", () => {
    const [one, other] = [createPipe(), createPipe()]
    const message = [text("short"), new Uint8Array(200)]
    const encoded = { slab: new Uint8Array(0), from: 0, to: 0 }
    for (const pipe of [one, other]) expect(pipe.writeEncoded(message, 205, encoded)).toBe(true)
    const [first, second] = [one.outbound.shift()!, other.outbound.shift()!]
    expect(first).not.toBe(message)
    expect(first).not.toBe(second)
    expect([first, second].map(([frame]) => words(frame!))).toEqual(["short", "short"])
    expect([one.counters.messagesOut, one.counters.bytesOut]).toEqual([1, 205])
  })

  it("what must be told passes the marks", () => {
    const pipe = createPipe(new Owner(), marks(), marks(1))
    for (const word of ["a", "b", "c"]) pipe.force([text(word)])
    expect([pipe.outbound.length, pipe.accepted]).toEqual([3, 3])
  })

  it("accepted and written count each message once, dropped ones too", () => {
    const owner = new Owner()
    const pipe = createPipe(owner, marks(), marks(10))
    for (let i = 0; i < 5; i++) pipe.write([text("12345")])
    pipe.dropOutbound("disconnected")
    expect([pipe.accepted, pipe.written, pipe.outbound.length]).toEqual([5, 5, 0])
    expect(pipe.counters.dropped?.get("disconnected")).toBe(5)
    expect([pipe.counters.messagesOut, pipe.counters.bytesOut]).toEqual([5, 25])
    pipe.dropOutbound("closed")
    expect(pipe.counters.dropped?.has("closed")).toBe(false)
    expect(owner.written).toBe(1)
  })
})

describe("inbound", () => {
  it("is announced once until all is read", () => {
    const owner = new Owner()
    const pipe = createPipe(owner)
    pipe.announce()
    expect(owner.readable).toEqual([])
    pipe.deliver([text("a")], 1)
    pipe.announce()
    pipe.deliver([text("b")], 1)
    pipe.announce()
    expect(owner.readable).toHaveLength(1)
    expect([pipe.read(), pipe.read()].map(message => words(message![0]!))).toEqual(["a", "b"])
    pipe.deliver([text("c")], 1)
    pipe.announce()
    expect(owner.readable).toHaveLength(1) // nobody has found it empty yet
    expect(words(pipe.read()![0]!)).toBe("c")
    expect(pipe.read()).toBeUndefined()
    pipe.deliver([text("d")], 1)
    pipe.announce()
    expect(owner.readable).toHaveLength(2)
    expect([pipe.counters.messagesIn, pipe.counters.bytesIn]).toEqual([4, 4])
  })
})

describe("counters", () => {
  it("add up", () => {
    const [one, other] = [new Counters(), new Counters()]
    one.drop("full")
    one.drop("full", 2)
    one.drop("closed", 0)
    other.messagesIn = 3
    other.drop("full", 4)
    other.drop("filtered")
    one.add(other)
    expect(one.messagesIn).toBe(3)
    expect([...(one.dropped ?? [])]).toEqual([
      ["full", 7],
      ["filtered", 1],
    ])
  })
})

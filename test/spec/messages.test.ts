/**
 * What may be sent and what comes out: text, bytes in all their classes, numbers, null, frames of every size.
 */
import { describe, expect, it } from "vitest"
import { freshEndpoint, transports } from "../support/endpoints.js"
import { zmq } from "../support/engine.js"
import { bound, failure, nothingArrives, ownSockets, text } from "../support/sockets.js"

describe.each(transports)("messages over %s", transport => {
  const own = ownSockets()

  async function pipe() {
    const push = own(new zmq.Push())
    const pull = own(new zmq.Pull())
    push.connect(await bound(pull, freshEndpoint(transport)))
    return { push, pull }
  }

  it("text goes as UTF-8, numbers as their digits, null as nothing", async () => {
    const { push, pull } = await pipe()
    await push.send(["grüß 🌍", 12.5, -0, null, ""])
    const frames = await pull.receive()
    expect(frames.every(Buffer.isBuffer)).toBe(true)
    expect(frames.map(String)).toEqual(["grüß 🌍", "12.5", "0", "", ""])
    await push.send(7)
    await push.send(null)
    await push.send("just text")
    expect(await text(pull)).toEqual(["7"])
    expect(await text(pull)).toEqual([""])
    expect(await text(pull)).toEqual(["just text"])
  })

  it("bytes go as they are, from any view or buffer, however large", async () => {
    const { push, pull } = await pipe()
    for (const size of [4, 500]) {
      const whole = new Uint8Array(size + 8).map((_, index) => index)
      const part = Buffer.from(whole.subarray(4, size + 4))
      const shared = new SharedArrayBuffer(size)
      new Uint8Array(shared).set(part)
      const arrayBuffer = part.buffer.slice(part.byteOffset, part.byteOffset + size) as ArrayBuffer
      for (const view of [
        part,
        whole.subarray(4, size + 4),
        new Uint16Array(whole.buffer, 4, size / 2),
        arrayBuffer,
        new Uint8Array(shared),
      ]) {
        await push.send(view)
        await push.send([view, "tail"])
        expect((await pull.receive())[0]!.equals(part)).toBe(true)
        const [head, tail] = await pull.receive()
        expect(head!.equals(part)).toBe(true)
        expect(String(tail)).toBe("tail")
      }
    }
  })

  it("small frames are copied before send returns", async () => {
    const { push, pull } = await pipe()
    const frame = Buffer.from("before")
    const sending = push.send(frame)
    frame.write("after!")
    await sending
    expect(await text(pull)).toEqual(["before"])
  })

  it("received frames are the receiver's own", async () => {
    const { push, pull } = await pipe()
    for (let index = 0; index < 3; index++) await push.send(`${index}`.repeat(40))
    const frames: Buffer[] = []
    for (let index = 0; index < 3; index++) frames.push((await pull.receive())[0]!)
    frames[1]!.fill("x")
    expect(String(frames[0])).toBe("0".repeat(40))
    expect(String(frames[2])).toBe("2".repeat(40))
  })

  it("an empty list of frames is no message", async () => {
    const { push, pull } = await pipe()
    await push.send([])
    await nothingArrives(pull, 50)
    await push.send([""])
    expect(await text(pull)).toEqual([""])
  })

  it("no message at all is a TypeError", async () => {
    const { push } = await pipe()
    const call = push as unknown as { send(message?: unknown): Promise<void> }
    expect(await failure(() => call.send())).toBeInstanceOf(TypeError)
    expect(await failure(() => call.send(undefined))).toBeInstanceOf(TypeError)
  })

  it("ten thousand in a row arrive whole and in order", async () => {
    const { push, pull } = await pipe()
    const count = 10_000
    const sending = (async () => {
      for (let index = 0; index < count; index++) await push.send([`${index}`, "x".repeat(index % 300)])
    })()
    for (let index = 0; index < count; index++) {
      const [number, body] = await pull.receive()
      if (String(number) !== `${index}` || body!.length !== index % 300) throw new Error(`at ${index} came ${number}`)
    }
    await sending
  })
})

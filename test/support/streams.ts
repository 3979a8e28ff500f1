/** What specs of STREAM say over and over: who came, who left, and bytes however they were cut. */
import { expect } from "vitest"
import type { zmq } from "./engine.js"
import { eventually } from "./eventually.js"

type Stream = InstanceType<typeof zmq.Stream>

/** The routing id of the next message, which must be the empty one that tells of a peer that came or left. */
export async function note(stream: Stream): Promise<Buffer> {
  const [id, nothing, ...more] = await stream.receive()
  expect([nothing, more.length]).toEqual([Buffer.alloc(0), 0])
  return id!
}

/** The next `size` bytes of a peer, which must come as chunks of what libzmq reads at a time, with nothing in between. */
export async function bytesFrom(stream: Stream, id: Buffer, size: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  for (let got = 0; got < size; got += chunks.at(-1)!.length) {
    const [from, chunk, ...more] = await stream.receive()
    expect([from, more.length]).toEqual([id, 0])
    expect(chunk!.length).toBeGreaterThan(0)
    expect(chunk!.length).toBeLessThanOrEqual(8192)
    chunks.push(chunk!)
  }
  const bytes = Buffer.concat(chunks)
  expect(bytes.length).toBe(size)
  return bytes
}

/** The same as text. */
export async function textFrom(stream: Stream, id: Buffer, size: number): Promise<string> {
  return String(await bytesFrom(stream, id, size))
}

/** Waits until there is no such peer any more; libzmq may say EAGAIN before, or take one more message. */
export async function gone(stream: Stream, id: Buffer | string): Promise<void> {
  await eventually(() =>
    stream.send([id, "?"]).then(
      () => false,
      error => error.code === "EHOSTUNREACH",
    ),
  )
}

/** Bytes of which each place can be told from its neighbours. */
export function pattern(size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size)
  for (let at = 0; at < size; at++) bytes[at] = (at ^ (at >> 8) ^ (at >> 16)) & 0xff
  return bytes
}

/**
 * Two engines whose frames pass through the hands of a test: it may change, drop, repeat or hold each of them. Greetings pass as
 * they are.
 */
import type { EngineOptions } from "../../src/wire/engine.js"
import type { Ask } from "../../src/wire/mechanism.js"
import { concat, End } from "./link.js"

export type From = "client" | "server"

/** A frame on its way, whole with its header. `number` counts the frames of both sides, from 0. */
export interface Passing {
  readonly from: From
  readonly number: number
  readonly frame: Uint8Array
}

/** What to deliver in place of a frame. */
export type Change = (passing: Passing) => readonly Uint8Array[]

export interface WireOptions {
  readonly askClient?: Ask | null
  readonly askServer?: Ask | null
}

const GREETING = 64

/** One direction: greeting first, then frames. */
class Lane {
  greeted = 0
  rest: Uint8Array = new Uint8Array(0)

  /** What of these bytes still is greeting; the others are kept for {@link frames}. */
  take(bytes: Uint8Array): Uint8Array {
    const size = Math.min(GREETING - this.greeted, bytes.length)
    this.greeted += size
    this.rest = concat([this.rest, bytes.subarray(size)])
    return bytes.subarray(0, size)
  }

  frames(): Uint8Array[] {
    const frames: Uint8Array[] = []
    for (;;) {
      const { rest } = this
      const size = sizeOf(rest)
      if (size === null || size > rest.length) return frames
      frames.push(rest.slice(0, size))
      this.rest = rest.subarray(size)
    }
  }
}

function sizeOf(bytes: Uint8Array): number | null {
  if (bytes.length < 2) return null
  if ((bytes[0]! & 2) === 0) return 2 + bytes[1]!
  if (bytes.length < 9) return null
  return 9 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(1))
}

export class Wire {
  readonly client: End
  readonly server: End
  /** All frames that were said, as they were said. */
  readonly said: Passing[] = []
  change: Change = ({ frame }) => [frame]
  private readonly lanes = { client: new Lane(), server: new Lane() }

  constructor(client: EngineOptions, server: EngineOptions, { askClient = null, askServer = null }: WireOptions = {}) {
    this.client = new End(client, askClient)
    this.server = new End(server, askServer)
    this.client.engine.start(0)
    this.server.engine.start(0)
  }

  /** Carries what there is to say, until nobody says more. */
  settle(): this {
    for (let quiet = 0; quiet < 2; ) {
      quiet = this.carry("client") || this.carry("server") ? 0 : quiet + 1
      if (this.said.length > 10_000) throw new Error("an endless exchange")
    }
    return this
  }

  /** The body of the frame that was said as this one. */
  body(number: number): Uint8Array {
    return bodyOf(this.said[number]!.frame)
  }

  private carry(from: From): boolean {
    const lane = this.lanes[from]
    const to = from === "client" ? this.server : this.client
    const bytes = this[from].output()
    const greeting = lane.take(bytes)
    deliver(to, greeting)
    for (const frame of lane.frames()) {
      const passing = { from, number: this.said.length, frame }
      this.said.push(passing)
      for (const each of this.change(passing)) deliver(to, each)
    }
    return bytes.length > 0
  }
}

/** A session hands nothing more to an engine that has failed. */
function deliver(to: End, bytes: Uint8Array): void {
  // A chunk is the receiver's, who may open what is sealed in its memory.
  if (to.faults.length === 0 && bytes.length > 0) to.receive(bytes.slice())
}

export function bodyOf(frame: Uint8Array): Uint8Array {
  return frame.subarray((frame[0]! & 2) === 0 ? 2 : 9)
}

/** The same frame with another body, and the header that belongs to it. */
export function withBody(frame: Uint8Array, body: Uint8Array, flags = frame[0]! & ~2): Uint8Array {
  const header = body.length > 255 ? new Uint8Array(9) : Uint8Array.of(flags, body.length)
  if (header.length === 9) {
    header[0] = flags | 2
    new DataView(header.buffer).setBigUint64(1, BigInt(body.length))
  }
  return concat([header, body])
}

/** The same frame with one bit of its body turned. */
export function flipped(frame: Uint8Array, byte: number, bit: number): Uint8Array {
  const body = bodyOf(frame).slice()
  body[byte] = body[byte]! ^ (1 << bit)
  return withBody(frame, body)
}

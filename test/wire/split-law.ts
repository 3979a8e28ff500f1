/**
 * The split law: however a stream is cut, and however often its reader says "no more for now", it means the same. A
 * vector is read whole, cut in two at every byte, byte by byte, with a reader that is full after every message, and with
 * bytes behind it: a whole message, and the beginning of another frame.
 */
import { expect } from "vitest"
import type { EngineOptions } from "../../src/wire/engine.js"
import type { SocketTypeName } from "../../src/wire/socket-types.js"
import { concat, End, engineOptions, toHex } from "../support/link.js"
import { hex } from "./hex.js"

/** What came of a stream: events in order, and the bytes that were answered. */
export interface Trace {
  readonly events: readonly string[]
  readonly output: string
}

/** Reads a stream from its first byte, in these chunks. `reluctant`: the reader is full after every message. */
export type Reader = (chunks: readonly Uint8Array[], reluctant: boolean) => Trace

export const GREETING = hex("FF 00*7 01 7F 03 01 'NULL' 00*16 00 00*31")
export const GREETING_30 = hex("FF 00*7 01 7F 03 00 'NULL' 00*16 00 00*31")

/** A message `7a`, and the beginning of a frame. */
const TRAILING = hex("00 01 7A 02 00 00 00")
const TRAILING_EVENT = "message 7a"

/** READY of a socket type that says only this. */
export function readyOf(type: string): Uint8Array {
  const length = type.length.toString(16).padStart(8, "0")
  return hex(`04 ${(22 + type.length).toString(16)} 05 'READY' 0B 'Socket-Type' ${length} '${type}'`)
}

/** An engine of this type that has read `before`; its events and answers up to there are left out. */
export function engineReader(type: SocketTypeName, before: Uint8Array, changes: Partial<EngineOptions> = {}): Reader {
  return (chunks, reluctant) => {
    const end = new End(engineOptions(type, changes))
    end.engine.start(0)
    end.receive(before)
    end.output()
    const told = end.events.length
    end.reluctant = reluctant
    const output: Uint8Array[] = []
    for (const chunk of chunks) {
      end.receive(chunk.slice())
      output.push(end.output())
    }
    return { events: end.events.slice(told), output: toHex(concat(output)) }
  }
}

/** Holds the law for one vector, and returns what the vector means. */
export function splitLaw(
  read: Reader,
  vector: Uint8Array,
  trailing: { bytes: Uint8Array; event: string } | null = null,
): Trace {
  const { bytes, event } = trailing ?? { bytes: TRAILING, event: TRAILING_EVENT }
  const whole = read([vector], false)
  const byteByByte = Array.from(vector, (_, at) => vector.slice(at, at + 1))
  for (const reluctant of [false, true]) {
    const how = reluctant ? ", full after every message" : ""
    expect(read([vector], reluctant), `whole${how}`).toEqual(whole)
    expect(read(byteByByte, reluctant), `byte by byte${how}`).toEqual(whole)
    for (let at = 1; at < vector.length; at++) {
      const cut = read([vector.slice(0, at), vector.slice(at)], reluctant)
      if (cut.output !== whole.output || cut.events.join() !== whole.events.join()) {
        expect(cut, `cut at ${at}${how}`).toEqual(whole)
      }
    }
    const events = whole.events.some(text => text.startsWith("fault")) ? whole.events : [...whole.events, event]
    const behind = read([concat([vector, bytes])], reluctant)
    expect(behind.events, `with bytes behind it${how}`).toEqual(events)
  }
  return whole
}

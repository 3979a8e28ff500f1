/**
 * A socket's events, written down as they come, and a way to wait for one. Start before what you want to see happens.
 */
import { expect } from "vitest"
import type { AnySocket } from "./engine.js"
import { eventually, pause } from "./eventually.js"

type Observer = AnySocket["events"]
export type SocketEvent = Awaited<ReturnType<Observer["receive"]>>
type EventType = SocketEvent["type"]

const types: EventType[] = [
  "accept",
  "accept:error",
  "bind",
  "bind:error",
  "close",
  "close:error",
  "connect",
  "connect:delay",
  "connect:retry",
  "disconnect",
  "end",
  "handshake",
  "handshake:error:auth",
  "handshake:error:other",
  "handshake:error:protocol",
  "unknown",
]

export class EventLog {
  readonly all: SocketEvent[] = []
  readonly #socket: AnySocket

  constructor(socket: AnySocket) {
    this.#socket = socket
    for (const type of types) socket.events.on(type, event => this.all.push(event as SocketEvent))
  }

  get types(): EventType[] {
    return this.all.map(event => event.type)
  }

  count(type: EventType): number {
    return this.all.filter(event => event.type === type).length
  }

  /** Waits until an event has come so many times; looks at the socket meanwhile, for libzmq works only then. */
  async seen(type: EventType, times = 1): Promise<SocketEvent> {
    return eventually(() => {
      if (!this.#socket.closed) void this.#socket.readable
      return this.count(type) >= times && this.all.filter(event => event.type === type).at(-1)!
    }).catch(cause => {
      throw new Error(`no ${times} x ${type} in: ${this.types.join(" ")}`, { cause })
    }) as Promise<SocketEvent>
  }

  /** Checks that nothing more happens within a short while. */
  async staysQuiet(within = 150): Promise<void> {
    const before = this.all.length
    await pause(within)
    expect(this.types.slice(before)).toEqual([])
  }
}

/**
 * Real sockets on a simulated machine and network: they run unchanged, and hours of reconnecting, heartbeats and lingering
 * take milliseconds and come out the same each time. When a test is over, nothing may be left of its sockets: no timer,
 * no connection, no reference that would keep the process alive.
 */
import { expect, onTestFinished } from "vitest"
import { Context, type Event, type EventType } from "../../patterns/index.js"
import type { Socket } from "../../patterns/socket.js"
import { SimulatedNetwork } from "./simulated-network.js"
import { SimulatedRuntime } from "./simulated-runtime.js"

type SocketClass<S, O> = new (options: O) => S

/** An event, and when it came. */
export type TimedEvent = Event & {
  readonly at: number
  readonly interval?: number
  readonly error?: Error & { code: string }
}

/** What a promise fails with, whenever that is. */
export async function failureOf(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  const result = await promise.then(
    () => "it did not fail",
    error => error,
  )
  expect(result).toBeInstanceOf(Error)
  return result
}

export class Simulation {
  readonly runtime: SimulatedRuntime
  readonly network: SimulatedNetwork
  readonly context: Context
  private readonly sockets: Socket[] = []

  /** Ends, and is looked through for what was left behind, with the running test. */
  constructor({ seed = 1 } = {}) {
    this.runtime = new SimulatedRuntime(seed)
    this.network = new SimulatedNetwork(this.runtime)
    this.context = new Context(undefined, { runtime: this.runtime, transports: [this.network] })
    onTestFinished(() => this.end())
  }

  get now(): number {
    return this.runtime.now()
  }

  /** A socket of this machine. */
  open<S extends Socket, O extends object>(type: SocketClass<S, O>, options?: O): S {
    const socket = new type({ ...options, context: this.context } as unknown as O)
    this.sockets.push(socket)
    return socket
  }

  /** Binds, without waiting for a turn. Returns the endpoint. */
  async bind(socket: Socket, endpoint = "sim://*"): Promise<string> {
    await this.runtime.until(socket.bind(endpoint))
    return socket.lastEndpoint!
  }

  /** Writes down what happens to a socket from now on, with the times. */
  events(socket: Socket): TimedEvent[] {
    const seen: TimedEvent[] = []
    for (const type of EVENTS) socket.events.on(type, event => void seen.push({ ...event, at: this.now } as TimedEvent))
    return seen
  }

  /** Lets time go by until a promise settles. */
  until<T>(promise: Promise<T>): Promise<T> {
    return this.runtime.until(promise)
  }

  /** What a promise fails with, after as much time as that takes. */
  failure(promise: Promise<unknown>): Promise<Error & { code?: string }> {
    return this.until(failureOf(promise))
  }

  eventually(holds: () => boolean): Promise<void> {
    return this.runtime.eventually(holds)
  }

  advance(ms: number): Promise<void> {
    return this.runtime.advance(ms)
  }

  turn(): Promise<void> {
    return this.runtime.turn()
  }

  /** What the sockets have left on this machine. */
  leftovers() {
    const { runtime, network } = this
    return {
      held: runtime.held,
      timers: runtime.timers,
      streams: network.streams.size,
      watchers: runtime.watchers.size,
    }
  }

  private async end(): Promise<void> {
    for (const socket of this.sockets) if (!socket.closed) void socket.close({ linger: 0 })
    this.network.heal()
    await this.advance(1000)
    expect(this.leftovers()).toEqual({ held: 0, timers: 0, streams: 0, watchers: 0 })
  }
}

const EVENTS: EventType[] = [
  "accept",
  "accept:error",
  "bind",
  "bind:error",
  "close",
  "connect",
  "connect:delay",
  "connect:retry",
  "disconnect",
  "end",
  "handshake",
  "handshake:error:other",
  "handshake:error:protocol",
]

/**
 * What the specs say over and over: open sockets that the test closes by itself, compare messages as text, catch the
 * error of a call whether it throws or rejects, wait for handshakes and subscriptions instead of sleeping.
 */
import { afterEach, expect } from "vitest"
import type { Transport } from "./endpoints.js"
import type { AnySocket } from "./engine.js"
import { eventually, pause } from "./eventually.js"

interface Receiver {
  receive(): Promise<Buffer[]>
  receiveTimeout: number
}

interface Sender {
  send(message: string | Buffer | (string | Buffer | null)[]): Promise<void>
}

interface Subscribing extends Receiver {
  subscribe(...topics: string[]): void
}

/**
 * Gives a function that keeps a socket until the end of the test and then closes it without lingering. So that a
 * message which never comes fails the test soon and by name, endless timeouts become five seconds.
 */
export function ownSockets(): <S extends AnySocket>(socket: S) => S {
  const opened: AnySocket[] = []
  afterEach(async () => {
    for (const socket of opened.splice(0)) {
      if (socket.closed) continue
      Object.assign(socket, { linger: 0 })
      await socket.close()
    }
  })
  return socket => {
    opened.push(socket)
    const timed = socket as { sendTimeout?: number; receiveTimeout?: number }
    if (timed.sendTimeout === -1) timed.sendTimeout = 5_000
    if (timed.receiveTimeout === -1) timed.receiveTimeout = 5_000
    return socket
  }
}

/** Binds and returns the address to connect to. */
export async function bound(socket: AnySocket, endpoint: string): Promise<string> {
  await socket.bind(endpoint)
  return socket.lastEndpoint ?? endpoint
}

/** The next message, its frames as text. */
export async function text(socket: Receiver): Promise<string[]> {
  return (await socket.receive()).map(String)
}

/** The next `count` messages, their frames as text. */
export async function texts(socket: Receiver, count: number): Promise<string[][]> {
  const messages: string[][] = []
  while (messages.length < count) messages.push(await text(socket))
  return messages
}

/** What the call throws or rejects with; a call that succeeds fails the test. */
export async function failure(
  call: () => unknown,
): Promise<Error & { code?: string; errno?: number; address?: string }> {
  try {
    await call()
  } catch (error) {
    expect(error).toBeInstanceOf(Error)
    return error as Error
  }
  throw new Error(`should have failed: ${call}`)
}

/** Checks that the call fails with this code. */
export async function failsWith(code: string, call: () => unknown): Promise<void> {
  expect((await failure(call)).code).toBe(code)
}

/** Checks that no message is there, nor comes within a short while. */
export async function nothingArrives(socket: Receiver, within = 100): Promise<void> {
  const before = socket.receiveTimeout
  socket.receiveTimeout = within
  const message = await socket.receive().catch((error: Error & { code?: string }) => error.code)
  socket.receiveTimeout = before
  expect(Array.isArray(message) ? message.map(String) : message).toBe("EAGAIN")
}

/** Receives until nothing has come for a while. */
export async function drained(socket: Receiver, quiet = 100): Promise<string[][]> {
  const messages: string[][] = []
  const before = socket.receiveTimeout
  socket.receiveTimeout = quiet
  try {
    for (;;) messages.push(await text(socket))
  } catch (error) {
    expect(error).toMatchObject({ code: "EAGAIN" })
  }
  socket.receiveTimeout = before
  return messages
}

/** Sends without waiting until the socket will not take one more, or has taken `most`; returns how many it took. */
export async function fill(
  socket: Sender & { sendTimeout: number },
  message: (index: number) => Parameters<Sender["send"]>[0],
  most = Number.POSITIVE_INFINITY,
): Promise<number> {
  const before = socket.sendTimeout
  socket.sendTimeout = 0
  let taken = 0
  try {
    while (taken < most) {
      await socket.send(message(taken))
      taken += 1
    }
  } catch (error) {
    expect(error).toMatchObject({ code: "EAGAIN" })
  }
  socket.sendTimeout = before
  return taken
}

/** Fills the socket until its queue, the kernel's buffers and its peers' queues have all been full for a while. */
export async function fillUp(...[socket, message]: Parameters<typeof fill>): Promise<number> {
  let taken = 0
  for (let quiet = 0; quiet < 3; quiet++) {
    const more = await fill(socket, index => message(taken + index), 4_000)
    if (more > 0) quiet = -1
    taken += more
    if (taken > 20_000) throw new Error("never full")
    await pause(20)
  }
  return taken
}

/**
 * Checks fair queuing: every sender sends four messages, and the reader must get one from each in turn, four times. That
 * shows only when all of them have arrived, which no one can see; so a round read too early is tried again, and a reader
 * that never takes turns runs out of rounds.
 */
export async function readsInTurns(
  senders: ((body: string) => Promise<void>)[],
  read: () => Promise<string>,
): Promise<void> {
  let order: string[] = []
  for (let round = 0; round < 20; round++) {
    for (const [index, send] of senders.entries()) for (let turn = 0; turn < 4; turn++) await send(`${index}`)
    await pause(20)
    order = []
    while (order.length < senders.length * 4) order.push(await read())
    const turns = Array.from({ length: 4 }, (_, turn) =>
      order.slice(turn * senders.length, (turn + 1) * senders.length),
    )
    if (turns.every(turn => new Set(turn).size === senders.length)) return
  }
  expect(order, "never read in turns").toEqual([])
}

/**
 * Awaits `promise` and meanwhile looks at these sockets again and again. libzmq does a socket's housekeeping (a reconnect's
 * subscriptions, a disconnect's) only while its application calls into it; Peerlane needs no such nudge.
 */
export async function whileNudging<T>(sockets: AnySocket[], promise: Promise<T>): Promise<T> {
  let settled = false
  const done = promise.finally(() => {
    settled = true
  })
  while (!settled) {
    for (const socket of sockets) void socket.readable
    await Promise.race([done.catch(() => undefined), pause(10)])
  }
  return done
}

/** Counts the socket's finished handshakes from now on; the function it gives waits for that many. */
export function handshakes(socket: AnySocket): (count: number) => Promise<unknown> {
  let seen = 0
  socket.events.on("handshake", () => {
    seen += 1
  })
  return count => eventually(() => seen >= count)
}

/** Connects the peers one after the other, so that the bound socket knows them in this order. */
export async function joinInOrder(host: AnySocket, peers: AnySocket[], transport: Transport): Promise<void> {
  const address = host.lastEndpoint ?? ""
  const met = transport === "inproc" ? undefined : handshakes(host)
  for (const [index, peer] of peers.entries()) {
    peer.connect(address)
    await met?.(index + 1)
  }
}

/**
 * Publishes until the subscriber has heard, so that every subscription it made before is in force. The subscriber keeps
 * one topic more: "sync".
 */
export async function meet(publisher: Sender, subscriber: Subscribing): Promise<void> {
  subscriber.subscribe("sync")
  let heard = false
  const first = subscriber.receive().then(() => {
    heard = true
  })
  while (!heard) {
    await publisher.send("sync?")
    await Promise.race([first, pause(5)])
  }
  await publisher.send("sync!")
  while ((await text(subscriber))[0] !== "sync!");
}

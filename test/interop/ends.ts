/**
 * The two ends of a conversation. An `End` is one socket, here (`LocalEnd`: the engine under test) or in a peer
 * program (`RemoteEnd`: libzmq), with the few things that conversations need, so that one conversation is written once
 * and runs with the engine under test on either side of it.
 */

import { onTestFinished } from "vitest"
import { zmq } from "../support/engine.js"
import type { Part, Peer, PeerSocket } from "../support/peer.js"
import { bytesOf } from "../support/peer.js"
import { type FrameReport, report } from "../support/peers/messages.mjs"

export type SocketType =
  | "PUSH"
  | "PULL"
  | "PUB"
  | "SUB"
  | "XPUB"
  | "XSUB"
  | "REQ"
  | "REP"
  | "DEALER"
  | "ROUTER"
  | "PAIR"

export type Message = readonly Part[]

export interface End {
  readonly type: SocketType
  bind(endpoint: string): Promise<string>
  connect(endpoint: string): Promise<void>
  send(...messages: Message[]): Promise<void>
  /** The next `count` messages; rejects with EAGAIN when one does not come in `timeout` ms. */
  receive(count?: number, timeout?: number): Promise<FrameReport[][]>
  subscribe(...topics: (string | Buffer)[]): Promise<void>
  unsubscribe(...topics: (string | Buffer)[]): Promise<void>
  /** From now on sends back whatever it receives, frame for frame. */
  echo(): Promise<void>
  close(): Promise<void>
}

/** A socket of the engine with all that some type of socket can do. */
export interface FullSocket {
  readonly events: { receive(): Promise<unknown> }
  readonly lastEndpoint: string | null
  receiveTimeout: number
  bind(endpoint: string): Promise<void>
  unbind(endpoint: string): Promise<void>
  connect(endpoint: string, options?: { routingId?: string }): void
  send(message: Buffer[]): Promise<void>
  receive(): Promise<Buffer[]>
  subscribe(...topics: (string | Buffer)[]): void
  unsubscribe(...topics: (string | Buffer)[]): void
  close(): Promise<void>
  [Symbol.asyncIterator](): AsyncIterator<Buffer[]>
}

const classes = {
  PUSH: zmq.Push,
  PULL: zmq.Pull,
  PUB: zmq.Publisher,
  SUB: zmq.Subscriber,
  XPUB: zmq.XPublisher,
  XSUB: zmq.XSubscriber,
  REQ: zmq.Request,
  REP: zmq.Reply,
  DEALER: zmq.Dealer,
  ROUTER: zmq.Router,
  PAIR: zmq.Pair,
}

/** A socket of the engine under test that closes without lingering. */
function openSocket(type: SocketType, options: Record<string, unknown> = {}): FullSocket {
  return new classes[type]({ linger: 0, ...options }) as unknown as FullSocket
}

/** XSUB has no subscribe call: it sends its subscriptions as messages. */
function subscriptionMessage(first: 0 | 1, topic: string | Buffer): Buffer[] {
  return [Buffer.concat([Buffer.of(first), bytesOf(topic)])]
}

export class LocalEnd implements End {
  readonly type: SocketType
  readonly socket: FullSocket

  constructor(type: SocketType, options: Record<string, unknown> = {}) {
    this.type = type
    this.socket = openSocket(type, options)
  }

  async bind(endpoint: string): Promise<string> {
    await this.socket.bind(endpoint)
    return this.socket.lastEndpoint!
  }

  async connect(endpoint: string): Promise<void> {
    this.socket.connect(endpoint)
  }

  async send(...messages: Message[]): Promise<void> {
    for (const message of messages) await this.socket.send(message.map(bytesOf))
  }

  async receive(count = 1, timeout = 10_000): Promise<FrameReport[][]> {
    this.socket.receiveTimeout = timeout
    const messages: FrameReport[][] = []
    while (messages.length < count) messages.push((await this.socket.receive()).map(frame => report(frame)))
    return messages
  }

  async subscribe(...topics: (string | Buffer)[]): Promise<void> {
    if (this.type === "SUB") this.socket.subscribe(...topics)
    else for (const topic of topics) await this.socket.send(subscriptionMessage(1, topic))
  }

  async unsubscribe(...topics: (string | Buffer)[]): Promise<void> {
    if (this.type === "SUB") this.socket.unsubscribe(...topics)
    else for (const topic of topics) await this.socket.send(subscriptionMessage(0, topic))
  }

  async echo(): Promise<void> {
    void this.#echoUntilClosed()
  }

  async #echoUntilClosed(): Promise<void> {
    for await (const message of this.socket) await this.socket.send(message)
  }

  async close(): Promise<void> {
    await this.socket.close()
  }
}

export class RemoteEnd implements End {
  readonly type: SocketType
  readonly socket: PeerSocket

  private constructor(type: SocketType, socket: PeerSocket) {
    this.type = type
    this.socket = socket
  }

  static async open(peer: Peer, type: SocketType, options: Record<string, unknown> = {}): Promise<RemoteEnd> {
    return new RemoteEnd(type, await peer.open(type, options))
  }

  bind(endpoint: string): Promise<string> {
    return this.socket.bind(endpoint)
  }

  connect(endpoint: string): Promise<void> {
    return this.socket.connect(endpoint)
  }

  send(...messages: Message[]): Promise<void> {
    return this.socket.send(...messages)
  }

  receive(count?: number, timeout?: number): Promise<FrameReport[][]> {
    return this.socket.receive(count, timeout)
  }

  async subscribe(...topics: (string | Buffer)[]): Promise<void> {
    if (this.type === "SUB") await this.socket.subscribe(...topics)
    else await this.socket.send(...topics.map(topic => subscriptionMessage(1, topic)))
  }

  async unsubscribe(...topics: (string | Buffer)[]): Promise<void> {
    if (this.type === "SUB") await this.socket.unsubscribe(...topics)
    else await this.socket.send(...topics.map(topic => subscriptionMessage(0, topic)))
  }

  echo(): Promise<void> {
    return this.socket.echo()
  }

  close(): Promise<void> {
    return this.socket.close()
  }
}

/** An end of the engine under test that closes with the running test. */
export function here(type: SocketType, options: Record<string, unknown> = {}): LocalEnd {
  const end = new LocalEnd(type, options)
  onTestFinished(() => end.close())
  return end
}

/** An end in a peer program that closes with the running test. */
export async function there(peer: Peer, type: SocketType, options: Record<string, unknown> = {}): Promise<RemoteEnd> {
  const end = await RemoteEnd.open(peer, type, options)
  onTestFinished(() => end.close())
  return end
}

/**
 * DISH (48/RADIO-DISH): receives the messages of the groups that it joined, each with its group. Every RADIO is told them,
 * again after each reconnect, and what comes is filtered once more, as radios may lag behind. A peer that sends something
 * else than a group and a body is left for good. Over udp nobody is told anything: what comes is filtered.
 */
import {
  type Message as Frames,
  type Link,
  type OptionsOf,
  type Pipe,
  ProtocolError,
  ZmqError,
} from "../../src/index.js"
import { type Message, Readable, type SocketOptions, withOptions } from "../socket.js"
import { CheckedQueue } from "./checked-queue.js"
import { groupKey, LONGEST_GROUP, toGroup } from "./group.js"
import { tagged } from "./tagged.js"

const LEAVE = 0
const JOIN = 1

/** The group of a received message. */
export interface DishGroupOptions {
  group: Buffer
}

export class Dish extends Readable<[Message, DishGroupOptions]> {
  private readonly in = new CheckedQueue((message, pipe) => this.accepts(message, pipe))
  private readonly groups = new Map<string, Buffer>()
  /** Those in whose queue, or at whose radio, all groups are. */
  private readonly told = new Set<Pipe>()

  constructor(options?: SocketOptions<Dish>) {
    super("DISH", options)
    this.begin(options)
  }

  /** Takes messages of these groups. EINVAL for one that it is in already, or of more than 255 bytes, or with a zero. */
  join(...groups: (string | Buffer)[]): void {
    this.checkOpen()
    for (const name of groups) {
      const group = toGroup(name)
      const key = groupKey(group)
      if (this.groups.has(key)) throw new ZmqError("EINVAL", { detail: "this group was joined already" })
      this.groups.set(key, group)
      this.tell(JOIN, group)
    }
  }

  /** Takes no more messages of these groups. EINVAL for one that it is not in. */
  leave(...groups: (string | Buffer)[]): void {
    this.checkOpen()
    for (const name of groups) {
      const group = toGroup(name)
      if (!this.groups.delete(groupKey(group))) throw new ZmqError("EINVAL", { detail: "this group was not joined" })
      this.tell(LEAVE, group)
    }
  }

  override pipeAttached(link: Link): boolean {
    this.in.add(link.pipe)
    if (link.place === null) this.pipeReady(link)
    else link.place.wanted = message => this.groups.has(groupKey(message[0]!))
    return true
  }

  /** The radio is there, for the first time or again: it is told everything, unless that is on its way. */
  override pipeReady({ pipe }: Link): void {
    if (this.told.has(pipe)) return
    this.told.add(pipe)
    for (const group of this.groups.values()) pipe.force([asking(JOIN, group)])
  }

  /** What was on the way to it is of no use: when it is back, it is told everything. */
  override pipeInterrupted({ pipe }: Link): void {
    this.told.delete(pipe)
    while (pipe.outbound.shift() !== undefined) pipe.onWritten(1)
  }

  override pipeEnded({ pipe }: Link): void {
    this.in.end(pipe)
    this.told.delete(pipe)
  }

  override onReadable(pipe: Pipe): void {
    this.in.activate(pipe)
    this.receives.serve()
  }

  override receiveNow(): Frames | undefined {
    const message = this.in.read()
    if (message === undefined) return undefined
    this.from = this.in.from
    return tagged(message, message[1]!, { group: message[0] as Buffer } satisfies DishGroupOptions)
  }

  override sendNow(): boolean {
    return false
  }

  protected override get canSend(): boolean {
    return false
  }

  protected override get canReceive(): boolean {
    return this.in.readable
  }

  private accepts(message: Frames, pipe: Pipe): boolean {
    if (message.length !== 2 || message[0]!.length > LONGEST_GROUP) {
      pipe.counters.drop("malformed")
      const error = new ProtocolError("ERR_ZMTP_UNSPECIFIED", "a message that is not a group and a body")
      ;(pipe.peer as Link).end(error)
      return false
    }
    if (this.groups.has(groupKey(message[0]!))) return true
    pipe.counters.drop("filtered")
    return false
  }

  private tell(first: number, group: Buffer): void {
    for (const pipe of this.told) pipe.force([asking(first, group)])
  }
}

function asking(first: number, group: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(1 + group.length)
  frame[0] = first
  frame.set(group, 1)
  return frame
}

export interface Dish extends OptionsOf<"DISH"> {}

withOptions(Dish, "DISH")

/**
 * RADIO (48/RADIO-DISH): each message of one frame has a group, and goes to each peer that joined it, and to each place of
 * udp, where nobody can join. Never waits: a peer whose queue is full misses the message, which is counted. On the wire a
 * message is two frames, group and body.
 */
import {
  checkWait,
  type Encoded,
  type Link,
  type Message,
  type OptionsOf,
  type Pipe,
  sizeOf,
  type WaitOptions,
} from "../../src/index.js"
import { toMessage } from "../frames.js"
import { Pace } from "../pace.js"
import { alsoFlushes, type FlushMethods, Socket, type SocketOptions, withOptions } from "../socket.js"
import { excess } from "../subscription-limits.js"
import { groupKey, toGroup } from "./group.js"
import { isMultipart, multipartError, type Single } from "./single.js"
import { checkTag } from "./tagged.js"

const LEAVE = 0
const JOIN = 1
const NOBODY: ReadonlySet<Pipe> = new Set()

/** The group of a message to send: up to 255 bytes without a zero. */
export interface RadioGroupOptions {
  group: string | Buffer
}

export class Radio extends Socket {
  /** By group; none is empty. */
  private readonly members = new Map<string, Set<Pipe>>()
  private readonly groupsOf = new Map<Pipe, { names: Set<string>; bytes: number }>()
  private readonly places = new Set<Link>()
  private readonly pace = new Pace()

  constructor(options?: SocketOptions<Radio>) {
    super("RADIO", options)
    this.begin(options)
  }

  /**
   * Sends one frame to all who joined the group. Does not wait for them; where a queue fills, it settles a moment later,
   * so that it can be read. A frame above 128 bytes must not change until it is written ({@link flushed}). EINVAL for more
   * than one frame, or a group of more than 255 bytes; EMSGSIZE, while it is connected by udp, for a group and a frame of
   * more than 8,191 bytes. 48/RADIO-DISH.
   */
  send(message: Single, options: RadioGroupOptions & WaitOptions): Promise<void> {
    checkTag(options)
    this.checkOpen()
    checkWait(options)
    if (isMultipart(message)) return Promise.reject(multipartError())
    const frames = toMessage(message)
    if (frames.length === 0) return Promise.resolve()
    try {
      frames.unshift(toGroup(options.group))
    } catch (error) {
      return Promise.reject(error)
    }
    return this.sends.send(frames, options)
  }

  /** Sends as {@link send}; true. Throws what send would reject with. */
  trySend(message: Single, options: RadioGroupOptions): boolean {
    checkTag(options)
    this.checkOpen()
    if (isMultipart(message)) throw multipartError()
    const frames = toMessage(message)
    if (frames.length === 0) return true
    frames.unshift(toGroup(options.group))
    return this.sends.trySend(frames)
  }

  override pipeAttached(link: Link): boolean {
    if (link.place === null) this.groupsOf.set(link.pipe, { names: new Set(), bytes: 0 })
    else this.places.add(link)
    return true
  }

  override pipeEnded(link: Link): void {
    const { pipe } = link
    this.places.delete(link)
    for (const group of this.groupsOf.get(pipe)?.names ?? []) this.leave(pipe, group)
    this.groupsOf.delete(pipe)
    this.pace.forget(pipe)
  }

  override onReadable(pipe: Pipe): void {
    while (!pipe.ended) {
      const message = pipe.read()
      if (message === undefined) return
      const [frame] = message
      if (message.length === 1 && frame![0] === JOIN) this.join(pipe, groupKey(frame!, 1))
      else if (message.length === 1 && frame![0] === LEAVE) this.leave(pipe, groupKey(frame!, 1))
      else pipe.counters.drop("filtered")
    }
  }

  override sendNow(message: Message): boolean {
    this.congested = false
    // None of them has it if one cannot.
    for (const { place } of this.places) place?.check(message)
    const members = this.members.get(groupKey(message[0]!)) ?? NOBODY
    const alone = members.size + this.places.size === 1
    const size = sizeOf(message)
    const encoded = members.size > 1 ? this.core.encoder.encode(message) : null
    for (const pipe of members) this.write(pipe, message, size, encoded, alone)
    for (const { pipe } of this.places) this.write(pipe, message, size, encoded, alone)
    return true
  }

  override receiveNow(): undefined {}

  protected override get canSend(): boolean {
    return true
  }

  protected override get canReceive(): boolean {
    return false
  }

  private write(pipe: Pipe, message: Message, size: number, encoded: Encoded | null, alone: boolean): void {
    // On inproc the array goes to the receiver, who changes it.
    const own = encoded !== null || alone ? message : message.slice()
    if (!pipe.writeEncoded(own, size, encoded)) pipe.counters.drop("full")
    if (pipe.outbound.halfFull && this.pace.isWorthAPause(pipe)) this.congested = true
  }

  private join(pipe: Pipe, group: string): void {
    const groups = this.groupsOf.get(pipe)
    if (groups === undefined || groups.names.has(group)) return
    const error = excess(this.store.values, groups.names.size + 1, groups.bytes + group.length)
    if (error !== null) {
      this.connections.cut(pipe, error)
      return
    }
    groups.names.add(group)
    groups.bytes += group.length
    const members = this.members.get(group)
    if (members === undefined) this.members.set(group, new Set([pipe]))
    else members.add(pipe)
  }

  private leave(pipe: Pipe, group: string): void {
    const groups = this.groupsOf.get(pipe)
    if (groups?.names.delete(group)) groups.bytes -= group.length
    const members = this.members.get(group)
    if (members?.delete(pipe) && members.size === 0) this.members.delete(group)
  }
}

export interface Radio extends OptionsOf<"RADIO">, FlushMethods {}

alsoFlushes(Radio)
withOptions(Radio, "RADIO")

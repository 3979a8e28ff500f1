/**
 * The socket of a producer that holds its queue: reads what consumers say, and answers. The rules of
 * PROTOCOL.md from the producer's side; who gets what is the dispatcher's, what becomes of a job the queue's business.
 */

import { Alarm } from "../typed/alarm.js"
import { peerFault } from "../typed/error.js"
import { randomName } from "../typed/names.js"
import { Outbox } from "../typed/outbox.js"
import { countOf, type Frame, nameOf, objectOf, textOf, textsOf, wordsOf } from "../typed/protocol.js"
import type { TypedRuntime } from "../typed/runtime.js"
import type { TypedRouter } from "../typed/sockets.js"
import { type Consumer, Dispatcher, type Handout, isHandedToAll, MAX_PREFETCH } from "./dispatcher.js"
import { PipelineError } from "./errors.js"
import { type Command, frame, protocol } from "./frames.js"
import type { OwnQueue } from "./own-queue.js"
import { Parcel } from "./parcel.js"
import type { Queue } from "./queue.js"
import { Submitters } from "./submitters.js"

/** Answers and jobs that wait for the socket; what is beyond that is said again by the rules of the protocol. */
const OUTBOX = 100_000
const BYTES_IN_HAND = 16 * 1024 * 1024

export interface HostSettings {
  readonly lease: number
  readonly heartbeat: number
  /** Of a job that is submitted, and of a result: as long as a frame may be. */
  readonly maxBodyBytes: number
}

export interface HostSink {
  onConsumer(event: "join" | "leave", name: string, group: string, why: string): void
  /** A peer said something that is no message of this protocol in this version. */
  onMalformed(message: string): void
}

export class Host {
  readonly dispatcher: Dispatcher
  private readonly queue: Queue
  private readonly submitters: Submitters
  private readonly outbox: Outbox
  private readonly alarm: Alarm
  /** Consumers by their connections. */
  private readonly connected = new Map<string, Consumer>()
  private readonly epoch: string
  private sessions = 0
  /** Tags whose end is on disk, to be told at the end of this turn. */
  private confirmed = new Map<Consumer, string[]>()
  /** Hand-outs that are to go in one message. */
  private readonly parcels = new Map<Consumer, Parcel>()
  private beat = 0
  private closing = false
  /** Tags of which an end is on its way to the disk. */
  private readonly settling = new Set<string>()
  private ended: Promise<void> = Promise.resolve()

  constructor(
    private readonly router: TypedRouter,
    private readonly own: OwnQueue,
    private readonly runtime: TypedRuntime,
    private readonly settings: HostSettings,
    private readonly sink: HostSink,
  ) {
    this.queue = own.queue
    this.submitters = new Submitters(own, runtime.clock, settings, (routing, message) => this.say(routing, message))
    this.epoch = randomName(runtime, 6)
    this.alarm = new Alarm(runtime.clock, () => this.tick())
    this.outbox = new Outbox(router, OUTBOX, message => this.notSaid(message))
    this.dispatcher = new Dispatcher(own.queue, runtime.clock, settings, {
      onHandOut: (handout, body) => this.handOut(handout, body),
      onHandedOut: () => this.sendParcels(),
      onConsumerLost: (consumer, why) => this.lost(consumer, why),
      onDue: at => this.alarm.set(at),
    })
  }

  /** Begins to read. */
  start(): void {
    this.tick()
    this.ended = this.read()
  }

  private async read(): Promise<void> {
    for await (const message of this.router) this.receive(message)
  }

  /** Tells everybody, and resolves when the socket has it all and is closed. */
  async close(): Promise<void> {
    this.closing = true
    this.alarm.stop()
    for (const { routing } of this.dispatcher.consumers.values()) this.say(routing, [frame.BYE])
    this.submitters.close()
    await this.outbox.empty()
    this.outbox.end()
    await this.router.close()
    await this.ended
  }

  private say(routing: Buffer, message: Frame[]): void {
    const whole = [routing, ...message]
    if (!this.outbox.push(whole) && !this.closing) this.notSaid(whole)
  }

  private receive(message: Buffer[]): void {
    const [routing, first] = message as [Buffer, Buffer | undefined]
    const command = protocol.commandOf(first)
    try {
      if (command === null) throw new PipelineError("EPROTO", protocol.refusalOf(first).message)
      if (command === "HELLO") this.hello(routing, objectOf(message[2]))
      else if (!this.submitters.receive(routing, command, message)) this.fromConsumer(routing, command, message)
    } catch (error) {
      const fault = peerFault(error)
      const told = command === null ? protocol.refusalOf(first) : { code: fault.code, message: fault.message }
      this.say(routing, [frame.REFUSED, JSON.stringify(told)])
      this.sink.onMalformed(fault.message)
    }
  }

  private hello(routing: Buffer, said: Record<string, unknown>): void {
    if (said.submitter === undefined) this.consumerHello(routing, said)
    else this.submitters.hello(routing, said, this.welcome(this.nextSession(), countOf(said.n, "n", 0)))
  }

  private consumerHello(routing: Buffer, said: Record<string, unknown>): void {
    const name = nameOf(said.consumer, "consumer")
    const group = textOf(said.group, "group", "")
    const lane = this.queue.lanes.find(lane => lane.group === group)
    if (lane === undefined) {
      const groups = this.queue.lanes.map(({ group }) => JSON.stringify(group)).join(", ")
      throw new PipelineError("ENOENT", `there is no group ${JSON.stringify(group)} here, but ${groups}`)
    }
    const n = countOf(said.n, "n", 0)
    const terms = {
      n,
      prefetch: Math.min(countOf(said.prefetch, "prefetch", 1), MAX_PREFETCH),
      bytes: countOf(said.bytes, "bytes", BYTES_IN_HAND),
      concurrency: countOf(said.concurrency, "concurrency", 1),
    }
    const holding = new Set(textsOf(said.holding, "holding"))
    const known = this.dispatcher.consumers.get(name)
    if (known !== undefined && known.lane === lane && n <= known.n) return
    const routingKey = routing.toString("latin1")
    const before = this.connected.get(routingKey)
    if (before !== undefined && before !== known) this.dispatcher.lose(before, "it goes by another name now")
    if (known !== undefined && known.lane !== lane) this.dispatcher.lose(known, "it is in another group now")
    let consumer = this.dispatcher.consumers.get(name)
    const session = this.nextSession()
    const now = this.runtime.clock.now()
    if (consumer === undefined) {
      const nothing = { held: new Map<string, Handout>(), heldBytes: 0, served: 0, place: -1, gone: true }
      consumer = { name, lane, routing, session, heard: now, ...terms, ...nothing }
      this.dispatcher.add(consumer)
      this.sink.onConsumer("join", name, group, "")
    } else {
      this.connected.delete(consumer.routing.toString("latin1"))
      Object.assign(consumer, { routing, session, heard: now, gone: true, ...terms })
    }
    this.connected.set(routingKey, consumer)
    // What it does not have goes back first; then it is told what it has; then it gets more.
    const kept = this.dispatcher.reconcile(consumer, holding)
    this.say(routing, [frame.WELCOME, JSON.stringify({ ...this.welcome(session, n), kept })])
    consumer.gone = false
    this.dispatcher.changed(consumer)
  }

  private nextSession(): string {
    return `${this.epoch}${(++this.sessions).toString(36)}`
  }

  private welcome(session: string, n: number) {
    const { lease, heartbeat, maxBodyBytes } = this.settings
    return { queue: this.queue.id, session, n, lease, heartbeat, resultBytes: maxBodyBytes }
  }

  private fromConsumer(routing: Buffer, command: Command, message: Buffer[]): void {
    const consumer = this.connected.get(routing.toString("latin1"))
    if (consumer === undefined) {
      if (command !== "BYE") this.say(routing, [frame.WHO])
      return
    }
    consumer.heard = this.runtime.clock.now()
    const [, , what, more] = message
    switch (command) {
      case "PING":
        this.say(routing, [frame.PONG])
        break
      case "CREDIT":
        consumer.prefetch = Math.min(countOf(Number(what?.toString("latin1")), "prefetch", 0), MAX_PREFETCH)
        this.dispatcher.changed(consumer)
        break
      case "ACK":
        this.each(consumer, wordsOf(what), handout =>
          this.queue.done(handout.ticket, more ?? null, handout, this.confirm),
        )
        break
      case "NACK": {
        const { delay, reason, stack } = more === undefined ? {} : objectOf(more)
        const rest = delay === undefined || delay === null ? null : countOf(delay, "delay", 0)
        const [why, where] = [short(textOf(reason, "reason", "no reason given")), short(textOf(stack, "stack", ""))]
        this.each(consumer, wordsOf(what), handout => {
          void this.queue.failed(handout.ticket, why, where, rest).then(() => this.confirm(handout))
        })
        break
      }
      case "REJECT": {
        const { reason, stack } = more === undefined ? ({} as Record<string, unknown>) : objectOf(more)
        const [why, where] = [short(textOf(reason, "reason", "rejected")), short(textOf(stack, "stack", ""))]
        this.each(consumer, wordsOf(what), handout => {
          void this.queue.reject(handout.ticket, why, where).then(() => this.confirm(handout))
        })
        break
      }
      case "RETURN": {
        const tags = wordsOf(what)
        this.tellStale(consumer, tags)
        this.dispatcher.giveBack(tags.flatMap(tag => consumer.held.get(tag) ?? []))
        break
      }
      case "EXTEND": {
        const [ms, ...tags] = wordsOf(what)
        const length = countOf(Number(ms), "ms", 0)
        this.tellStale(consumer, tags)
        for (const tag of tags) {
          const handout = consumer.held.get(tag)
          if (handout !== undefined) this.dispatcher.extend(handout, length)
        }
        break
      }
      case "PROGRESS": {
        const handout = consumer.held.get(what?.toString("latin1") ?? "")
        if (handout !== undefined && more !== undefined) this.own.progress(handout.ticket, more)
        break
      }
      case "BYE":
        this.dispatcher.lose(consumer, "its consumer left")
        break
      default:
        throw new PipelineError("EINVAL", `a consumer does not say ${command}`)
    }
  }

  /** Takes them out of its hands; says which were not in them. */
  private each(consumer: Consumer, tags: readonly string[], settle: (handout: Handout) => void): void {
    let strange: string[] | null = null
    for (const tag of tags) {
      const handout = this.dispatcher.take(consumer, tag)
      if (handout !== null) {
        this.settling.add(tag)
        settle(handout)
      } else if (!this.settling.has(tag)) {
        strange ??= []
        strange.push(tag)
      }
    }
    if (strange !== null) this.tellStale(consumer, strange)
  }

  private tellStale(consumer: Consumer, tags: readonly string[]): void {
    let stale: string[] | null = null
    for (const tag of tags) {
      if (consumer.held.has(tag) || this.settling.has(tag)) continue
      stale ??= []
      stale.push(tag)
    }
    if (stale !== null) this.say(consumer.routing, [frame.STALE, stale.join(" ")])
  }

  private readonly confirm = ({ consumer, tag }: Handout): void => {
    this.settling.delete(tag)
    const tags = this.confirmed.get(consumer)
    if (tags !== undefined) {
      tags.push(tag)
      return
    }
    if (this.confirmed.size === 0) void Promise.resolve().then(() => this.tellConfirmed())
    this.confirmed.set(consumer, [tag])
  }

  private tellConfirmed(): void {
    for (const [consumer, tags] of this.confirmed) this.say(consumer.routing, [frame.DONE, tags.join(" ")])
    this.confirmed.clear()
  }

  private handOut(handout: Handout, body: Uint8Array): void {
    const { consumer, ticket } = handout
    let parcel = this.parcels.get(consumer)
    if (parcel === undefined) {
      parcel = new Parcel(consumer)
      this.parcels.set(consumer, parcel)
    }
    parcel.add(handout, body)
    if (isHandedToAll(ticket.job)) this.queue.uncache(ticket.job)
    if (!parcel.isFull) return
    this.parcels.delete(consumer)
    this.send(parcel)
  }

  private sendParcels(): void {
    for (const parcel of this.parcels.values()) this.send(parcel)
    this.parcels.clear()
  }

  private send(parcel: Parcel): void {
    this.say(parcel.consumer.routing, parcel.message())
  }

  /**
   * The socket would not take it, or there is too much already: a peer that misses something is not known any more. What it
   * says next is answered by WHO, and behind its HELLO everything is said again.
   */
  private notSaid([routing, command, heads]: Frame[]): void {
    const key = (routing as Buffer).toString("latin1")
    this.submitters.forget(key)
    const consumer = this.connected.get(key)
    if (consumer === undefined) return
    this.connected.delete(key)
    consumer.gone = true
    this.dispatcher.changed(consumer)
    const lost = command === frame.JOB ? (JSON.parse(heads as string) as { tag: string }[]) : []
    this.dispatcher.giveBack(lost.flatMap(({ tag }) => consumer.held.get(tag) ?? []))
  }

  private lost(consumer: Consumer, why: string): void {
    const routingKey = consumer.routing.toString("latin1")
    if (this.connected.get(routingKey) === consumer) this.connected.delete(routingKey)
    this.sink.onConsumer("leave", consumer.name, consumer.lane.group, why)
  }

  private tick(): void {
    const { clock } = this.runtime
    const late = this.beat === 0 ? 0 : clock.now() - this.beat
    if (late > this.settings.heartbeat) {
      this.dispatcher.forgive(late)
      this.submitters.forgive(late)
    }
    this.queue.tick()
    this.dispatcher.tick()
    this.submitters.tick()
    const now = clock.now()
    if (now >= this.beat) this.beat = now + this.settings.heartbeat
    this.wake()
  }

  /** Sets the alarm for what is due next. */
  wake(): void {
    this.alarm.set(Math.min(this.beat, this.dispatcher.nextDue, this.queue.nextDue))
  }
}

/** Letters of a reason, or a stack, that are kept. */
const LONGEST = 16_384

function short(text: string): string {
  return text.slice(0, LONGEST)
}

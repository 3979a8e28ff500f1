/** A client's side of one server: which calls are with it, and what it says of them. */
import { Contact } from "../typed/contact.js"
import type { TypedError } from "../typed/error.js"
import { countOf, objectOf, textOf, wordsOf } from "../typed/protocol.js"
import type { Clock } from "../typed/runtime.js"
import type { Sockets } from "../typed/sockets.js"
import { RemoteError, ServiceError } from "./errors.js"
import { type Command, frame, protocol } from "./frames.js"
import { AHEAD, type Outgoing } from "./outgoing.js"

export interface PeerSink {
  /** It can take calls, or more of them. */
  onAble(): void
  /** It has not begun this one: it is full, or takes no more. */
  onRefused(peer: Peer, call: Outgoing, error: ServiceError): void
  /** Nobody knows what became of these. */
  onLost(peer: Peer, calls: Outgoing[]): void
  onEnded(call: Outgoing): void
  onTrouble(address: string, error: TypedError): void
}

export class Peer {
  readonly calls = new Map<string, Outgoing>()
  /** When it was given a call last: a counter of the client's. */
  served = 0
  private readonly contact: Contact<Command>
  private concurrency = 0
  private draining = false
  private number = 0
  private questions = 0
  private readonly asked = new Map<string, (description: Record<string, unknown> | null) => void>()

  constructor(
    readonly address: string,
    private readonly client: string,
    private readonly codec: string,
    sockets: Sockets,
    socketOptions: object,
    private readonly clock: Clock,
    private readonly sink: PeerSink,
  ) {
    this.contact = new Contact(address, protocol, sockets, socketOptions, clock, {
      introduce: () => this.introduce(),
      onWelcome: said => this.welcome(said),
      onMessage: (command, message) => this.receive(command, message),
      onRefused: error => sink.onTrouble(address, error),
      onBeat: () => {},
    })
  }

  start(): void {
    this.contact.start()
  }

  get isAble(): boolean {
    return this.contact.isWelcome && !this.draining && this.calls.size < this.concurrency
  }

  get isThere(): boolean {
    return this.contact.isWelcome && !this.draining
  }

  /** What was under way belongs to the session before. */
  private introduce(): object {
    this.forsake()
    return { client: this.client }
  }

  private forsake(): void {
    const lost = [...this.calls.values()]
    this.calls.clear()
    for (const answer of this.asked.values()) answer(null)
    this.asked.clear()
    if (lost.length > 0) this.sink.onLost(this, lost)
  }

  private welcome(said: Record<string, unknown>): void {
    this.concurrency = countOf(said.concurrency, "concurrency", 1)
    this.draining = false
    this.number = 0
    this.sink.onAble()
  }

  send(call: Outgoing): void {
    const id = `${this.contact.session}-${++this.number}`
    call.id = id
    this.calls.set(id, call)
    const timeout = Math.max(1, Math.ceil(call.at - this.clock.now()))
    const head: Record<string, unknown> = { id, method: call.method, codec: this.codec, credit: AHEAD }
    if (timeout !== Number.POSITIVE_INFINITY) head.timeout = timeout
    if (call.options.context !== undefined) head.context = call.options.context
    this.contact.say([frame.CALL, JSON.stringify(head), call.argument])
  }

  cancel({ id }: Outgoing): void {
    if (this.calls.delete(id)) this.contact.say([frame.CANCEL, id])
  }

  addCredit({ id }: Outgoing, items: number): void {
    if (this.calls.has(id)) this.contact.say([frame.CREDIT, id, String(items)])
  }

  /** What it says of itself; null: it went away. */
  describe(): Promise<Record<string, unknown> | null> {
    if (!this.contact.isWelcome) return Promise.resolve(null)
    const id = String(++this.questions)
    return new Promise(resolve => {
      this.asked.set(id, resolve)
      this.contact.say([frame.DESCRIBE, id])
    })
  }

  private receive(command: Command, [, what, more]: Buffer[]): void {
    switch (command) {
      case "RESULT":
        this.take(what)?.result(more ?? Buffer.alloc(0))
        break
      case "ERROR":
        this.error(objectOf(what))
        break
      case "ITEM":
        this.item(wordsOf(what), more ?? Buffer.alloc(0))
        break
      case "END": {
        const [id, count] = wordsOf(what)
        this.take(id)?.end(Number(count))
        break
      }
      case "DESCRIPTION": {
        const id = wordsOf(what)[0] ?? ""
        const answer = this.asked.get(id)
        this.asked.delete(id)
        answer?.(objectOf(more))
        break
      }
      case "DRAINING":
        this.draining = true
        break
      default:
        throw new ServiceError("EPROTO", `${this.address} says ${command} to a client`)
    }
  }

  /** One that came before is ignored. Where one is missing the way was lost for a moment, and the stream with it. */
  private item([id = "", n]: readonly string[], body: Buffer): void {
    const call = this.calls.get(id)
    if (call === undefined || Number(n) < call.got) return
    if (Number(n) === call.got) call.item(body)
    else {
      this.cancel(call)
      this.sink.onEnded(call)
      this.sink.onLost(this, [call])
    }
  }

  /** It has ended: it is not with this server any more. */
  private take(id: Buffer | string | undefined): Outgoing | undefined {
    const name = String(id ?? "")
    const call = this.calls.get(name)
    if (call === undefined) return undefined
    this.calls.delete(name)
    this.sink.onEnded(call)
    return call
  }

  private error(said: Record<string, unknown>): void {
    const id = textOf(said.id, "id", "")
    const code = textOf(said.code, "code", "EREMOTE")
    const message = textOf(said.message, "message", "")
    // A method's own error may have this code as well: then it is no refusal of ours, and tells its name.
    if ((code === "EBUSY" || code === "EDRAINING") && said.name === undefined) {
      if (code === "EDRAINING") this.draining = true
      const call = this.calls.get(id)
      if (call === undefined) return
      this.calls.delete(id)
      this.sink.onRefused(this, call, new ServiceError(code, message))
      return
    }
    const stack = typeof said.stack === "string" ? said.stack : null
    this.take(id)?.fail(new RemoteError(code, message, textOf(said.name, "name", "Error"), said.data, stack))
  }

  async close(): Promise<void> {
    await this.contact.close()
    this.forsake()
  }
}

/** A client's side of one server that speaks PROTOCOL.md: which calls are with it, and what it says of them. */
import { Contact } from "../typed/contact.js"
import { peerFault } from "../typed/error.js"
import { countOf, objectOf, wordsOf } from "../typed/protocol.js"
import type { Clock } from "../typed/runtime.js"
import type { Sockets } from "../typed/sockets.js"
import { ServiceError } from "./errors.js"
import { failureOf, remoteErrorOf } from "./failure.js"
import { type Command, frame, numberOf, numbersOf, PIECE, protocol } from "./frames.js"
import { WINDOW } from "./inflow.js"
import { Outflow } from "./outflow.js"
import type { Outgoing } from "./outgoing.js"
import type { Peer, PeerSink } from "./peer.js"
import { Post } from "./post.js"

const NOTHING = Buffer.alloc(0)

export class ServicePeer implements Peer {
  served = 0
  private readonly calls = new Map<number, Outgoing>()
  private readonly contact: Contact<Command>
  private readonly post: Post
  /** When the HELLO of this session was said. */
  private since = 0
  private concurrency = 0
  private draining = false
  private last = 0
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
      onBye: () => this.forsake(),
      onBeat: () => {},
    })
    this.post = new Post(
      clock,
      message => this.contact.say(message),
      () => this.since,
    )
  }

  start(): void {
    this.contact.start()
  }

  get underWay(): Iterable<Outgoing> {
    return this.calls.values()
  }

  get busy(): number {
    return this.calls.size
  }

  get isThere(): boolean {
    return this.contact.isWelcome && !this.draining
  }

  get isAble(): boolean {
    return this.isThere && this.calls.size < this.concurrency
  }

  /** What was under way belongs to the session before. */
  private introduce(): object {
    this.forsake()
    this.since = this.clock.now()
    return { client: this.client, codec: this.codec, credit: WINDOW }
  }

  private forsake(): void {
    this.post.forget()
    const lost = [...this.calls.values()]
    this.calls.clear()
    if (lost.length > 0) this.sink.onLost(this, lost)
    this.sink.onChange()
  }

  private welcome(said: Record<string, unknown>): void {
    this.concurrency = countOf(said.concurrency, "concurrency", 1)
    this.post.session = this.contact.session
    this.draining = said.draining === true
    this.last = 0
    for (const id of this.asked.keys()) this.post.say(frame.DESCRIBE, id)
    this.sink.onChange()
  }

  send(call: Outgoing): void {
    const id = ++this.last
    call.id = id
    call.peer = this
    this.calls.set(id, call)
    const { method, argument, ends, context } = call.request
    let head = `{"id":${id},"method":${JSON.stringify(method)}`
    const left = ends - this.clock.now()
    // What is no safe number is no number on the wire, and as good as no end.
    if (left < Number.MAX_SAFE_INTEGER) head += `,"timeout":${Math.max(1, Math.ceil(left))}`
    if (context !== undefined) head += `,"context":${JSON.stringify(context)}`
    if (argument === null) this.post.call(`${head}}`, NOTHING)
    else if (!(argument instanceof Uint8Array)) {
      this.post.call(`${head},"argument":"stream"}`, NOTHING)
      void this.sendStream(call, argument)
    } else if (argument.length > PIECE) {
      this.post.call(`${head},"argument":"pieces"}`, NOTHING)
      void this.sendPieces(call, argument)
    } else this.post.call(`${head}}`, argument)
  }

  /** Nothing goes out before the server gives credit. */
  private flowOf(call: Outgoing): Outflow {
    const { id } = call
    call.outflow = new Outflow(0, {
      onPiece: (n, bytes) => this.post.say(frame.PIECE, `${id} ${n}`, bytes),
      onItem: (n, pieces, body) => this.post.item(id, n, pieces, body),
      pause: () => new Promise(resolve => void this.clock.after(0, resolve)),
    })
    return call.outflow
  }

  private async sendPieces(call: Outgoing, argument: Uint8Array): Promise<void> {
    const { id } = call
    const out = this.flowOf(call)
    const rest = await out.cut(argument)
    if (rest !== null && !out.isOver) this.post.say(frame.ARGUMENT, `${id}:${out.pieces}`, rest)
  }

  private async sendStream(call: Outgoing, items: AsyncIterable<unknown>): Promise<void> {
    const { id } = call
    const out = this.flowOf(call)
    // Nothing is taken of it before somebody wants it: until then the call may go elsewhere.
    while (!out.isOpen) if (!(await out.room())) return
    call.isSpent = true
    try {
      const isWhole = await out.stream(items, item => call.request.codec.encode(item))
      if (isWhole) this.post.say(frame.END, `${id} ${out.items}`)
    } catch (error) {
      if (!out.isOver) this.post.say(frame.ERROR, JSON.stringify({ id, ...failureOf(error, false) }))
      // Whatever the method makes of that, nobody waits for it.
      this.cancel(call)
      call.fail(error)
    }
  }

  cancel(call: Outgoing): void {
    const { id } = call
    if (!this.has(call)) return
    this.calls.delete(id)
    this.post.say(frame.CANCEL, String(id))
  }

  addCredit(call: Outgoing, total: number): void {
    if (this.has(call)) this.post.say(frame.CREDIT, `${call.id} ${total}`)
  }

  /** Its number may be that of another one by now, in a session behind it. */
  private has(call: Outgoing): boolean {
    return this.calls.get(call.id) === call
  }

  describe(timeout: number): Promise<Record<string, unknown> | null> {
    const id = String(++this.questions)
    return new Promise(resolve => {
      const timer = this.clock.after(timeout, () => this.answer(id, null))
      this.asked.set(id, description => {
        timer.cancel()
        resolve(description)
      })
      if (this.contact.isWelcome) this.post.say(frame.DESCRIBE, id)
    })
  }

  private answer(id: string, description: Record<string, unknown> | null): void {
    const tell = this.asked.get(id)
    this.asked.delete(id)
    tell?.(description)
  }

  private receive(command: Command, frames: Buffer[]): void {
    if (command === "DRAINING") {
      this.draining = true
      // Behind this word no call comes.
      this.post.flush()
      this.contact.say([frame.DRAINING])
      this.sink.onChange()
      return
    }
    if (frames[1]?.toString("latin1") !== this.contact.session) return
    const words = frames[2]
    const body = frames[3] ?? NOTHING
    switch (command) {
      case "RESULT":
        for (const [index, word] of wordsOf(words).entries()) {
          const [id, pieces] = numbersOf(word)
          this.take(id)?.result(pieces, frames[3 + index] ?? NOTHING)
        }
        break
      case "ERROR":
        this.error(objectOf(words))
        break
      case "PIECE": {
        const [id, n] = wordsOf(words)
        this.about(numberOf(id), call => call.piece(numberOf(n), body))
        break
      }
      case "ITEM":
        this.items(wordsOf(words), frames)
        break
      case "END": {
        const [id, count] = wordsOf(words)
        this.about(numberOf(id), call => {
          this.take(call.id)
          call.end(numberOf(count))
        })
        break
      }
      case "CREDIT": {
        const [id, total] = wordsOf(words)
        this.calls.get(numberOf(id))?.outflow?.grant(numberOf(total))
        break
      }
      case "CANCEL":
        for (const id of wordsOf(words)) this.calls.get(numberOf(id))?.outflow?.stop()
        break
      case "DESCRIPTION": {
        const id = wordsOf(words)[0] ?? ""
        try {
          this.answer(id, objectOf(body))
        } catch (error) {
          this.answer(id, null)
          throw error
        }
        break
      }
      default:
        throw new ServiceError("EPROTO", `${this.address} says ${command} to a client`)
    }
  }

  private items([id, word]: readonly string[], frames: Buffer[]): void {
    this.about(numberOf(id), call => {
      const [n, pieces] = numbersOf(word)
      for (let at = 3; at < frames.length; at++) call.item(n + at - 3, pieces, frames[at]!)
    })
  }

  /** What is said of a call, and cannot be understood, is the end of it. */
  private about(id: number, what: (call: Outgoing) => void): void {
    const call = this.calls.get(id)
    if (call === undefined) return
    try {
      what(call)
    } catch (error) {
      this.cancel(call)
      call.fail(peerFault(error))
    }
  }

  /** It has ended: it is not with this server any more. */
  private take(id: number): Outgoing | undefined {
    const call = this.calls.get(id)
    this.calls.delete(id)
    return call
  }

  private error(said: Record<string, unknown>): void {
    this.about(countOf(said.id, "id", 0), call => {
      this.take(call.id)
      const error = remoteErrorOf(said)
      const { code, message } = error
      // A method's own error may have this code as well: then it is no refusal of ours, and tells its name.
      if ((code === "EBUSY" || code === "EDRAINING") && said.name === undefined) {
        if (code === "EDRAINING") this.draining = true
        this.sink.onRefused(this, call, new ServiceError(code, message))
        return
      }
      call.fail(error)
    })
  }

  async close(): Promise<void> {
    await this.contact.close()
    this.forsake()
    for (const id of [...this.asked.keys()]) this.answer(id, null)
  }
}

/** A client, as a server knows it from one HELLO to the next: its calls, and what is said to it. */
import type { Codec } from "../codec/index.js"
import { countOf, type Frame, objectOf, objectsIn, textOf, wordsOf } from "../typed/protocol.js"
import type { Clock } from "../typed/runtime.js"
import type { Desk } from "./desk.js"
import { ServiceError } from "./errors.js"
import { failureOf, refusalOf } from "./failure.js"
import { type Command, frame, numberOf, numbersOf, PIECE } from "./frames.js"
import { Lateness } from "./lateness.js"
import { Post } from "./post.js"
import type { Asker, Running } from "./running.js"
import { saidOf } from "./said.js"

export interface SessionSink {
  say(message: Frame[]): void
  /** A handler threw. */
  onFailed(method: string, error: unknown): void
}

/** Who it is. */
export interface Introduced {
  readonly name: string
  readonly n: number
  readonly routing: Buffer
  readonly session: string
  readonly codec: Codec<unknown>
  /** Of each call, from the start. */
  readonly credit: number
  readonly userId: string | undefined
}

export class Session implements Asker {
  readonly name: string
  readonly n: number
  readonly routing: Buffer
  readonly codec: Codec<unknown>
  readonly userId: string | undefined
  readonly largest = PIECE
  heard: number
  /** DRAININGs that it has not answered yet. */
  private unheard = 0
  private toldAt = 0
  private isOver = false
  private readonly post: Post
  private readonly since: number
  private readonly lateness = new Lateness()
  /** The number of the last call that it made. */
  private last = 0
  private readonly calls = new Map<number, Running>()

  constructor(
    private readonly who: Introduced,
    private readonly desk: Desk,
    private readonly stacks: boolean,
    private readonly clock: Clock,
    private readonly sink: SessionSink,
  ) {
    this.name = who.name
    this.n = who.n
    this.routing = who.routing
    this.codec = who.codec
    this.userId = who.userId
    this.heard = this.since = clock.now()
    this.lateness.of(0, 0)
    this.post = new Post(
      clock,
      message => {
        if (!this.isOver) sink.say([who.routing, ...message])
      },
      () => this.since,
    )
    this.post.session = who.session
  }

  /** Nobody wants answers any more. */
  lose(reason: string): void {
    this.isOver = true
    for (const running of [...this.calls.values()]) running.abort(new ServiceError("ELOST", reason))
    this.calls.clear()
  }

  /** It could not be heard for so long, in ms. */
  forgive(ms: number): void {
    this.heard += ms
  }

  /** Everything that was said to it, and everything that it said before it heard. */
  get hasHeard(): boolean {
    return this.unheard === 0
  }

  /** It was told so long ago, in ms, and has not answered; 0: it has. */
  get deaf(): number {
    return this.unheard === 0 ? 0 : this.clock.now() - this.toldAt
  }

  /** Its answer is not waited for. */
  giveUp(): void {
    this.unheard = 0
  }

  sayDraining(): void {
    this.unheard++
    this.toldAt = this.clock.now()
    this.post.flush()
    this.sink.say([this.routing, frame.DRAINING])
  }

  receive(command: Command, frames: Buffer[], at: number): void {
    this.heard = this.clock.now()
    if (command === "PING") {
      this.sink.say([this.routing, frame.PONG])
      return
    }
    if (command === "DRAINING") {
      this.unheard = Math.max(0, this.unheard - 1)
      return
    }
    // What was said in an earlier session, and came late.
    if (frames[at]?.toString("latin1") !== this.who.session) return
    const words = frames[at + 1]
    const body = frames[at + 2] ?? NOTHING
    switch (command) {
      case "CALL":
        this.call(objectOf(words), frames, at + 2)
        break
      case "ARGUMENT": {
        const [id, pieces] = numbersOf(wordsOf(words)[0])
        this.calls.get(id)?.argument(pieces, body)
        break
      }
      case "PIECE": {
        const [id, n] = wordsOf(words)
        this.calls.get(numberOf(id))?.piece(numberOf(n), body)
        break
      }
      case "ITEM": {
        const [id, word] = wordsOf(words)
        const [n, pieces] = numbersOf(word)
        const running = this.calls.get(numberOf(id))
        for (let item = at + 2; item < frames.length; item++) running?.item(n + item - at - 2, pieces, frames[item]!)
        break
      }
      case "END": {
        const [id, count] = wordsOf(words)
        this.calls.get(numberOf(id))?.end(numberOf(count))
        break
      }
      case "ERROR": {
        const { id, message } = objectOf(words)
        const error = new ServiceError("EREMOTE", `the caller's stream failed: ${textOf(message, "message", "")}`)
        this.calls.get(countOf(id, "id", 0))?.failArgument(error)
        break
      }
      case "CANCEL":
        for (const id of wordsOf(words).map(numberOf)) {
          this.calls.get(id)?.abort(new ServiceError("ECANCELED", "the caller wants no answer"))
        }
        break
      case "CREDIT": {
        const [id, total] = wordsOf(words)
        this.calls.get(numberOf(id))?.grant(numberOf(total))
        break
      }
      case "DESCRIBE":
        this.post.say(frame.DESCRIPTION, words ?? "", JSON.stringify(this.desk.describe()))
        break
      default:
        throw new ServiceError("EINVAL", `a client does not say ${command}`)
    }
  }

  /** @param first Where the arguments begin. */
  private call(said: Record<string, unknown>, frames: Buffer[], first: number): void {
    const late = this.lateness.of(countOf(said.at, "at", 0), this.heard - this.since)
    for (const [index, head] of objectsIn(said.calls, "calls").entries()) {
      const id = countOf(head.id, "id", 0)
      // Heard before.
      if (id <= this.last) continue
      // Among what was said of those before it something was too much: nothing is begun for nobody.
      if (this.isOver) return
      this.last = id
      try {
        const { method, timeout, context } = saidOf(head)
        const argument = head.argument === "pieces" || head.argument === "stream" ? head.argument : "here"
        const left = timeout - Math.floor(late)
        const call = { id, method, timeout: left, context, argument, credit: this.who.credit } as const
        const running = this.desk.begin(call, frames[first + index] ?? NOTHING, this)
        if (!running.isOver) this.calls.set(id, running)
        if (this.isOver) this.lose("the caller cannot be reached")
      } catch (error) {
        this.refused(id, error)
      }
    }
  }

  // What comes of calls

  result(id: number, pieces: number, body: Uint8Array): void {
    this.post.result(id, pieces, body)
  }

  piece(id: number, n: number, bytes: Uint8Array): void {
    this.post.say(frame.PIECE, `${id} ${n}`, bytes)
  }

  item(id: number, n: number, pieces: number, body: Uint8Array): void {
    this.post.item(id, n, pieces, body)
  }

  end(id: number, count: number): void {
    this.post.say(frame.END, `${id} ${count}`)
  }

  refused(id: number, error: unknown): void {
    this.post.say(frame.ERROR, JSON.stringify({ id, ...refusalOf(error) }))
  }

  failed(id: number, method: string, error: unknown): void {
    this.sink.onFailed(method, error)
    this.post.say(frame.ERROR, JSON.stringify({ id, ...failureOf(error, this.stacks) }))
  }

  credit(id: number, total: number): void {
    this.post.say(frame.CREDIT, `${id} ${total}`)
  }

  enough(id: number): void {
    this.post.say(frame.CANCEL, String(id))
  }

  gone(id: number): void {
    this.calls.delete(id)
  }
}

const NOTHING = Buffer.alloc(0)

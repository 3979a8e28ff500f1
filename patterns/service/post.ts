/**
 * What goes to one peer: calls, results and items of a stream that come in one turn go together in one message, as far as they
 * are of a kind. The order stays as it was.
 */
import type { Frame } from "../typed/protocol.js"
import type { Clock } from "../typed/runtime.js"
import { frame, wordOf } from "./frames.js"

const MOST = 128
const MOST_BYTES = 64 * 1024
/** Of no stream. */
const NONE = -1

export class Post {
  /** Goes into each message. */
  session = ""
  /** The message that is not closed yet: its kind, its second frame, what follows; null: there is none. */
  private kind: Uint8Array | null = null
  private text = ""
  private bodies: Uint8Array[] = []
  private bytes = 0
  /** Whose items they are. */
  private stream = NONE
  private isDue = false

  /** @param began Of the session, by the clock. */
  constructor(
    private readonly clock: Clock,
    private readonly push: (message: Frame[]) => void,
    private readonly began: () => number,
  ) {}

  /** @param head JSON. */
  call(head: string, argument: Uint8Array): void {
    this.open(frame.CALL, NONE)
    this.text += this.text === "" ? head : `,${head}`
    this.add(argument)
  }

  result(id: number, pieces: number, body: Uint8Array): void {
    this.open(frame.RESULT, NONE)
    const word = wordOf(id, pieces)
    this.text += this.text === "" ? word : ` ${word}`
    this.add(body)
  }

  /**
   * @param n Its number. Those of one stream come in order.
   * @param pieces Of all its bodies so far. A piece closes the message before it, so they are the same for all in one.
   */
  item(id: number, n: number, pieces: number, body: Uint8Array): void {
    this.open(frame.ITEM, id)
    if (this.text === "") this.text = `${id} ${wordOf(n, pieces)}`
    this.add(body)
  }

  /** Anything else that belongs to the session. */
  say(command: Uint8Array, ...frames: Frame[]): void {
    this.flush()
    this.push([command, this.session, ...frames])
  }

  /** What was not closed yet belongs to a session that is over. */
  forget(): void {
    this.kind = null
    this.text = ""
    this.bodies = []
    this.bytes = 0
  }

  private open(kind: Uint8Array, stream: number): void {
    if (this.kind !== kind || this.stream !== stream) this.flush()
    this.kind = kind
    this.stream = stream
    if (this.isDue) return
    this.isDue = true
    this.clock.soon(() => {
      this.isDue = false
      this.flush()
    })
  }

  private add(body: Uint8Array): void {
    this.bodies.push(body)
    this.bytes += body.length
    if (this.bodies.length >= MOST || this.bytes >= MOST_BYTES) this.flush()
  }

  /** Closes the message that is open. */
  flush(): void {
    const { kind, text, bodies } = this
    if (kind === null || bodies.length === 0) return
    this.forget()
    const at = kind === frame.CALL ? Math.round(this.clock.now() - this.began()) : 0
    this.push([kind, this.session, kind === frame.CALL ? `{"at":${at},"calls":[${text}]}` : text, ...bodies])
  }
}

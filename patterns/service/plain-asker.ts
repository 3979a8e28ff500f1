/** A REQ socket that asks a server, and knows nothing of us: one JSON message there, one back. */
import { type Codec, json } from "../codec/index.js"
import { objectOf } from "../typed/protocol.js"
import type { Desk } from "./desk.js"
import { ServiceError } from "./errors.js"
import { failureOf, refusalOf } from "./failure.js"
import { WINDOW } from "./inflow.js"
import type { Asker } from "./running.js"
import { saidOf } from "./said.js"

/** What a question may take that says nothing else, in ms: it cannot tell when it is gone. */
const TIMEOUT = 30_000
const PLAIN = json() as Codec<unknown>

export interface PlainSink {
  answer(text: string): void
  onFailed(method: string, error: unknown): void
}

/** Each question has one of these. */
export class PlainAsker implements Asker {
  readonly codec = PLAIN
  readonly largest = Number.POSITIVE_INFINITY

  constructor(
    readonly userId: string | undefined,
    private readonly stacks: boolean,
    private readonly sink: PlainSink,
  ) {}

  ask(question: Buffer | undefined, desk: Desk): void {
    try {
      const said = objectOf(question)
      const { argument } = said
      const body = argument === undefined || argument === null ? Buffer.alloc(0) : Buffer.from(JSON.stringify(argument))
      const { method, timeout, context } = saidOf(said)
      const ends = timeout === Number.POSITIVE_INFINITY ? TIMEOUT : timeout
      const call = { id: 0, method, timeout: ends, context, argument: "here", credit: WINDOW } as const
      desk.begin(call, body, this)
    } catch (error) {
      this.refused(0, error)
    }
  }

  result(_id: number, _pieces: number, body: Uint8Array): void {
    this.sink.answer(body.length === 0 ? `{"result":null}` : `{"result":${Buffer.from(body).toString()}}`)
  }

  /** Of an item: what is no stream goes whole. */
  piece(): void {
    this.item()
  }

  item(): void {
    throw new ServiceError("EINVAL", "a plain question cannot have a stream for an answer")
  }

  end(): void {
    this.result(0, 0, Buffer.alloc(0))
  }

  refused(_id: number, error: unknown): void {
    this.sink.answer(JSON.stringify({ error: refusalOf(error) }))
  }

  failed(_id: number, method: string, error: unknown): void {
    this.sink.onFailed(method, error)
    this.sink.answer(JSON.stringify({ error: failureOf(error, this.stacks) }))
  }

  credit(): void {}

  enough(): void {}

  gone(): void {}
}

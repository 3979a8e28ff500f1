/**
 * A socket of values: any socket that takes and gives arrays of frames, Peerlane's or the `zeromq` package's, with a codec for the
 * last frame of each message. What comes before it, a topic or routing ids, stays as it is. What a peer sends that is no value
 * ends nothing: it is reported, with its bytes.
 */
import { type CodecLike, codecOf, type Decoded, type Encoded } from "./choose.js"
import { type Codec, CodecError, orCodecError } from "./codec.js"

type Frame = Uint8Array | string | null

/** What of a socket is used to send. */
export interface Sends {
  send(message: (Uint8Array | string | null)[]): Promise<void>
}

/** What of a socket is used to receive. */
export interface Receives {
  receive(): Promise<Buffer[]>
  [Symbol.asyncIterator](): AsyncIterator<Buffer[], unknown>
}

export interface TypedOptions {
  /**
   * Called with each message that does not decode or does not fit, with all its frames. The loop or the call goes on with the next
   * message, unless this throws. Without it, `receive()` rejects, and `for await` leaves the message out.
   */
  onError?: (error: CodecError, frames: Buffer[]) => void
}

/** A message that was received: its value, and the frames before it. */
export interface TypedMessage<T> {
  readonly value: T
  /** A topic, routing ids, an empty frame: as they came. */
  readonly before: Buffer[]
}

export interface TypedSender<Input> {
  /** Sends a value in a frame of its own. EENCODE, and what the socket's `send` rejects with. */
  send(value: Input): Promise<void>
  /** Sends frames, such as a topic or a routing id, and the value behind them. */
  send(before: Frame | Frame[], value: Input): Promise<void>
}

export interface TypedReceiver<T, Options extends unknown[] = []> extends AsyncIterable<TypedMessage<T>, undefined> {
  /** The next message. Rejects with a CodecError for one that is no value, unless there is `onError`; the next call goes on behind it. */
  receive(...options: Options): Promise<TypedMessage<T>>
  /** Iterates over messages until the socket is closed. One that is no value is left out, counted, and told to `onError`. */
  [Symbol.asyncIterator](): AsyncIterator<TypedMessage<T>, undefined>
  /** How many messages came that were no value. */
  readonly undecodable: number
  /** Why the last one of them was none, with its bytes; null: there was none. */
  readonly lastError: CodecError | null
}

/** What {@link typed} makes of a socket: it sends and receives as far as that does. */
export type Typed<S, T, Input = T> = { readonly socket: S } & (S extends Sends ? TypedSender<Input> : unknown) &
  (S extends Receives ? TypedReceiver<T, Parameters<S["receive"]>> : unknown)

/**
 * Wraps a socket: values in place of the last frame of its messages. `codec` is a codec, or options of `msgpack`, such as
 * `{ schema }`. The socket stays what it is, to bind, connect, subscribe and close.
 */
export function typed<S extends Sends | Receives, C extends CodecLike>(
  socket: S,
  codec: C,
  { onError }: TypedOptions = {},
): Typed<S, Decoded<C>, Encoded<C>> {
  if (onError !== undefined && typeof onError !== "function") throw new TypeError("onError must be a function")
  return new TypedSocket(socket, codecOf(codec), onError) as unknown as Typed<S, Decoded<C>, Encoded<C>>
}

class TypedSocket<T, Input> {
  undecodable = 0
  lastError: CodecError | null = null

  constructor(
    readonly socket: Sends | Receives,
    private readonly codec: Codec<T, Input>,
    private readonly onError: TypedOptions["onError"],
  ) {}

  async send(...given: [value: Input] | [before: Frame | Frame[], value: Input]): Promise<void> {
    const [before, value] = given.length === 1 ? [[], given[0]] : given
    const frames = Array.isArray(before) ? before : [before]
    await (this.socket as Sends).send([...frames, this.codec.encode(value)])
  }

  async receive(...options: []): Promise<TypedMessage<T>> {
    for (;;) {
      const frames = await (this.socket as Receives).receive(...options)
      const opened = this.open(frames)
      if (!(opened instanceof CodecError)) return opened
      if (this.onError === undefined) throw opened
      this.onError(opened, frames)
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TypedMessage<T>, undefined> {
    for await (const frames of this.socket as Receives) {
      const opened = this.open(frames)
      if (opened instanceof CodecError) this.onError?.(opened, frames)
      else yield opened
    }
  }

  /** The value of a message and what is before it; or what is wrong with it, which is counted. */
  private open(frames: Buffer[]): TypedMessage<T> | CodecError {
    const last = frames.length - 1
    const bytes = frames[last]!
    try {
      const value = orCodecError("EDECODE", "the codec failed", () => this.codec.decode(bytes), bytes)
      return { value, before: frames.slice(0, last) }
    } catch (error) {
      this.undecodable++
      this.lastError = error as CodecError
      return this.lastError
    }
  }
}

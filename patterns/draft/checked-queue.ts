/**
 * Fair in, as {@link FairQueue}, of which only messages come out that pass a check. Whether one is there can be told only
 * by looking: the one that was found is kept until it is read.
 */
import { FairQueue, type Message, type Pipe } from "../../src/index.js"

export class CheckedQueue {
  /** Where the last message came from. */
  from: Pipe | null = null
  private readonly queue = new FairQueue()
  private found: Message | undefined = undefined

  /** `accepts` counts what it does not. */
  constructor(private readonly accepts: (message: Message, pipe: Pipe) => boolean) {}

  add(pipe: Pipe): void {
    this.queue.add(pipe)
  }

  /** The peer left: what it sent can still be read. */
  end(pipe: Pipe): void {
    this.queue.end(pipe)
  }

  /** Something came by a pipe. */
  activate(pipe: Pipe): void {
    this.queue.activate(pipe)
  }

  read(): Message | undefined {
    const message = this.found ?? this.find()
    this.found = undefined
    // While a found one waits, nothing else is read from the queue.
    this.from = this.queue.from
    return message
  }

  get readable(): boolean {
    this.found ??= this.find()
    return this.found !== undefined
  }

  private find(): Message | undefined {
    for (let message = this.queue.read(); message !== undefined; message = this.queue.read()) {
      if (this.accepts(message, this.queue.from as Pipe)) return message
    }
    return undefined
  }
}

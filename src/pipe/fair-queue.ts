/** Fair in: one whole message of each peer in turn (PULL, SUB, DEALER, ROUTER, REP). 30/PIPELINE, 28/REQREP, 29/PUBSUB. */
import type { Message } from "../message.js"
import { ActiveList } from "./active-list.js"
import type { Pipe } from "./pipe.js"

export class FairQueue {
  /** Where the last message came from. */
  from: Pipe | null = null
  private readonly pipes = new ActiveList()

  add(pipe: Pipe): void {
    this.pipes.add(pipe, pipe.inbound.length > 0)
  }

  /** The peer left: what it sent can still be read, then its pipe is forgotten. */
  end(pipe: Pipe): void {
    if (pipe.inbound.length === 0) this.pipes.remove(pipe)
  }

  /** Forgets a pipe and what it holds. */
  remove(pipe: Pipe): void {
    this.pipes.remove(pipe)
  }

  /** Something came by a pipe. */
  activate(pipe: Pipe): void {
    this.pipes.activate(pipe)
  }

  read(): Message | undefined {
    for (let pipe = this.pipes.current; pipe !== undefined; pipe = this.pipes.current) {
      const message = pipe.read()
      if (message !== undefined) {
        this.from = pipe
        this.pipes.advance()
        return message
      }
      if (pipe.ended) this.pipes.remove(pipe)
      else this.pipes.deactivate(pipe)
    }
    return undefined
  }

  /** Appends messages to `into` until there are `max`. A pipe that is alone is emptied in one go. */
  readMany(into: Message[], max: number): void {
    while (into.length < max) {
      const pipe = this.pipes.current
      if (pipe === undefined) return
      const message = this.read()
      if (message === undefined) return
      into.push(message)
      if (!this.pipes.single) continue
      const { inbound } = pipe
      while (into.length < max) {
        const next = inbound.shift()
        if (next === undefined) break
        into.push(next)
      }
    }
  }

  get readable(): boolean {
    for (let pipe = this.pipes.current; pipe !== undefined; pipe = this.pipes.current) {
      if (pipe.inbound.length > 0) return true
      pipe.announced = false
      if (pipe.ended) this.pipes.remove(pipe)
      else this.pipes.deactivate(pipe)
    }
    return false
  }
}

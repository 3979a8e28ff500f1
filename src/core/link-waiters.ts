/** Who waits for peers: until so many are there, or until what they were sent has left the process. */
import type { Pipe } from "../pipe/pipe.js"
import { Waiter } from "./waiter.js"

export class ReadyWaiter extends Waiter<void> {
  peers = 0
}

export class FlushWaiter extends Waiter<void> {
  /** How far each pipe has to come. */
  targets = new Map<Pipe, number>()

  progress(pipe: Pipe): void {
    const target = this.targets.get(pipe)
    if (target !== undefined && pipe.written >= target) this.forget(pipe)
  }

  forget(pipe: Pipe): void {
    if (this.targets.delete(pipe) && this.targets.size === 0) this.resolve()
  }
}

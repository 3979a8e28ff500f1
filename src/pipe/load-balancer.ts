/** Round robin out: each message goes to the next pipe that has room (PUSH, DEALER, REQ). 30/PIPELINE, 28/REQREP. */
import type { Message } from "../message.js"
import { ActiveList } from "./active-list.js"
import type { Pipe } from "./pipe.js"

export class LoadBalancer {
  private readonly pipes = new ActiveList()

  add(pipe: Pipe): void {
    this.pipes.add(pipe, true)
  }

  remove(pipe: Pipe): void {
    this.pipes.remove(pipe)
  }

  /** A pipe that refused has room again. */
  activate(pipe: Pipe): void {
    this.pipes.activate(pipe)
  }

  /** Sends to the pipe whose turn it is. Returns that pipe; undefined when none has room. */
  write(message: Message): Pipe | undefined {
    for (let pipe = this.pipes.current; pipe !== undefined; pipe = this.pipes.current) {
      if (pipe.write(message)) {
        this.pipes.advance()
        return pipe
      }
      this.pipes.deactivate(pipe)
    }
    return undefined
  }

  /** Whether some pipe has room. */
  get writable(): boolean {
    for (let pipe = this.pipes.current; pipe !== undefined; pipe = this.pipes.current) {
      if (pipe.admits(0)) return true
      this.pipes.deactivate(pipe)
    }
    return false
  }
}

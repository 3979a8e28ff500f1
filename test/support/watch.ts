/**
 * Keeps what a socket's events tell, so that a test can wait for an event that may already have come, count events, and
 * show what did happen when the one it wanted did not.
 */

/** What `zeromq` and this project tell of an event, as far as tests look at it. */
export interface SeenEvent {
  type: string
  address?: string
  interval?: number
  error?: Error & { code?: string }
}

interface Observed {
  readonly events: { receive(): Promise<unknown> }
}

export class Watch {
  readonly seen: SeenEvent[] = []
  #next = 0
  #wake: () => void = () => {}

  /** Begin before the socket binds or connects. It ends with the socket. */
  constructor(socket: Observed) {
    void this.#follow(socket.events)
  }

  /**
   * The next event whose type starts with `type` ("handshake:error" takes each kind of it), from where the call before
   * this one stopped; rejects with the list of what came instead.
   */
  async next(type: string, timeout = 10_000): Promise<SeenEvent> {
    const start = this.#next
    let late = false
    const timer = setTimeout(() => {
      late = true
      this.#wake()
    }, timeout)
    try {
      while (!late) {
        while (this.#next < this.seen.length) {
          const event = this.seen[this.#next++]!
          if (event.type.startsWith(type)) return event
        }
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
      }
    } finally {
      clearTimeout(timer)
    }
    const instead = this.seen.slice(start).map(event => event.type)
    throw new Error(`no "${type}" event in ${timeout} ms, only: ${instead.join(", ") || "nothing"}`)
  }

  /** How many events of just this type there were. */
  count(type: string): number {
    return this.seen.filter(event => event.type === type).length
  }

  async #follow(events: Observed["events"]): Promise<void> {
    try {
      for (;;) {
        const event = (await events.receive()) as SeenEvent
        this.seen.push(event)
        this.#wake()
        if (event.type === "end") return
      }
    } catch {
      // The observer was closed with its socket.
    }
  }
}

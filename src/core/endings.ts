/**
 * Endpoints that are ending: they have left their socket, and send what is queued. Each is ended once, however many wait
 * for it; the process stays until they are done, or `linger` milliseconds are over.
 */
import type { EndpointUser } from "./connection-host.js"
import type { ContextBase } from "./context.js"

export class Endings {
  private leaving: Map<EndpointUser, (() => void)[]> | null = null

  constructor(private readonly context: ContextBase) {}

  get users(): EndpointUser[] {
    return this.leaving === null ? [] : [...this.leaving.keys()]
  }

  /** Ends these. `done` is called when nothing is left of them. */
  end(users: readonly EndpointUser[], linger: number, done: () => void): void {
    let left = users.length
    if (left === 0) {
      done()
      return
    }
    this.context.hold()
    const timer = linger > 0 ? this.context.runtime.after(linger, () => users.forEach(user => void user.abort())) : null
    const one = () => {
      if (--left > 0) return
      timer?.cancel()
      this.context.release()
      done()
    }
    for (const user of users) {
      this.endOne(user, one)
      if (linger === 0) user.abort()
    }
  }

  /** Ends an endpoint in order, or waits for one that is ending already. */
  private endOne(user: EndpointUser, done: () => void): void {
    this.leaving ??= new Map()
    const { leaving } = this
    const waiting = leaving.get(user)
    if (waiting !== undefined) {
      waiting.push(done)
      return
    }
    const callbacks = [done]
    leaving.set(user, callbacks)
    user.close(() => {
      leaving.delete(user)
      for (const callback of callbacks) callback()
    })
  }
}

/** Which calls end with which signal. Any number may have the same one: it has one listener, as long as one of them runs. */

export interface Abortable {
  abort(reason: unknown): void
}

interface Watched {
  readonly calls: Set<Abortable>
  readonly listener: () => void
}

export class Signals {
  private readonly watched = new Map<AbortSignal, Watched>()

  add(signal: AbortSignal, call: Abortable): void {
    let watched = this.watched.get(signal)
    if (watched === undefined) {
      const calls = new Set<Abortable>()
      watched = { calls, listener: () => this.aborted(signal, calls) }
      this.watched.set(signal, watched)
      signal.addEventListener("abort", watched.listener)
    }
    watched.calls.add(call)
  }

  /** Nothing happens if it was never added. */
  remove(signal: AbortSignal, call: Abortable): void {
    const watched = this.watched.get(signal)
    if (watched === undefined || !watched.calls.delete(call) || watched.calls.size > 0) return
    this.watched.delete(signal)
    signal.removeEventListener("abort", watched.listener)
  }

  private aborted(signal: AbortSignal, calls: Set<Abortable>): void {
    for (const call of [...calls]) call.abort(signal.reason)
  }
}

/**
 * The inproc names of all threads of the process. Each thread knows its own, and asks the others by saying aloud what it
 * wants; nobody keeps a list that could be wrong. Whoever takes a name asks whether another has it, and waits until all
 * threads that were ever heard of have answered, or a moment is over: one that does not answer is busy or gone. Of two
 * who want a name at a time, the one whose own name comes first gets it.
 */
import { ZmqError } from "../errors.js"
import type {
  ByteStream,
  ListenEvents,
  Listener,
  Said,
  ThreadEvents,
  Threads,
  TransportOptions,
} from "../transport/transport.js"
import type { Runtime, Timer } from "./runtime.js"

/** Milliseconds for the other threads to answer. */
const PATIENCE = 100

/** Whoever looks for a name that another thread has. */
export interface Seeker {
  onFound(stream: ByteStream): void
}

/** What is said. `to` names whom it is for; otherwise it is for all. */
type Words =
  | { kind: "hello" }
  | { kind: "here"; to: string; others: string[] }
  | { kind: "claim"; name: string }
  | { kind: "answer"; to: string; name: string; taken: boolean }
  | { kind: "wanted"; name: string }
  | { kind: "bound"; name: string }

/** A name that was asked for, and who has not answered yet. */
interface Claim {
  readonly waitsFor: Set<string>
  settle(free: boolean): void
}

export class ThreadNames implements ThreadEvents {
  readonly scheme = "inproc"
  private readonly self: string
  private joining: Promise<void> | null = null
  private met: () => void = () => {}
  /** Somebody listened when something was said last. */
  heard = false
  private readonly others = new Set<string>()
  private readonly bound = new Map<string, ListenEvents>()
  private readonly claims = new Map<string, Claim>()
  private readonly seekers = new Map<string, Set<Seeker>>()

  constructor(
    private readonly threads: Threads,
    private readonly runtime: Runtime,
  ) {
    this.self = `${threads.own}.${Math.floor(runtime.random() * 2 ** 32).toString(36)}`
  }

  /** Takes a name among all threads; EADDRINUSE when one of the others has it. */
  async listen(name: string, _options: TransportOptions, on: ListenEvents): Promise<Listener> {
    await this.join()
    if (!(await this.claim(name))) {
      throw new ZmqError("EADDRINUSE", { address: `inproc://${name}`, detail: "another thread has bound it" })
    }
    return this.take(name, on)
  }

  /** The same without asking the others, which takes time. */
  listenSync(name: string, _options: TransportOptions, on: ListenEvents): Listener {
    void this.join()
    return this.take(name, on)
  }

  /** Waits for a name until another thread has it. */
  seek(name: string, seeker: Seeker): void {
    void this.join()
    const seekers = this.seekers.get(name)
    if (seekers === undefined) this.seekers.set(name, new Set([seeker]))
    else seekers.add(seeker)
    this.say({ kind: "wanted", name })
  }

  /** Stops waiting for a name. */
  forget(name: string, seeker: Seeker): void {
    const seekers = this.seekers.get(name)
    if (seekers?.delete(seeker) && seekers.size === 0) this.seekers.delete(name)
  }

  onStream(name: string, stream: ByteStream): void {
    const on = this.bound.get(name)
    if (on === undefined) stream.destroy()
    else on.onStream(stream)
  }

  onSaid(said: Said): void {
    const words = said as unknown as Words & { from: string }
    const { from } = words
    if ("to" in words && words.to !== this.self) return
    this.others.add(from)
    switch (words.kind) {
      case "hello":
        this.say({ kind: "here", to: from, others: [...this.others] })
        return
      case "here":
        for (const other of words.others) if (other !== this.self) this.others.add(other)
        this.met()
        return
      case "claim":
        this.say({ kind: "answer", to: from, name: words.name, taken: this.refuses(words.name, from) })
        return
      case "answer":
        this.answered(words.name, from, words.taken)
        return
      case "wanted":
        if (this.bound.has(words.name)) this.say({ kind: "bound", name: words.name })
        return
      case "bound":
        this.find(words.name, from)
    }
  }

  /** Meets the others, if there are any. */
  private join(): Promise<void> {
    if (this.joining !== null) return this.joining
    this.threads.join(this.self, this)
    if (!this.say({ kind: "hello" })) {
      this.joining = Promise.resolve()
      return this.joining
    }
    this.joining = new Promise(resolve => {
      const timer = this.runtime.after(PATIENCE, resolve)
      this.met = () => {
        timer.cancel()
        resolve()
      }
    })
    return this.joining
  }

  /** Resolves with whether a name is free. */
  private claim(name: string): Promise<boolean> {
    if (!this.say({ kind: "claim", name })) return Promise.resolve(true)
    return new Promise(resolve => {
      const timer: Timer = this.runtime.after(PATIENCE, () => {
        // Who is still there is heard of again.
        for (const silent of claim.waitsFor) this.others.delete(silent)
        claim.settle(true)
      })
      const claim: Claim = {
        waitsFor: new Set(this.others),
        settle: free => {
          timer.cancel()
          this.claims.delete(name)
          resolve(free)
        },
      }
      this.claims.set(name, claim)
    })
  }

  private answered(name: string, from: string, taken: boolean): void {
    const claim = this.claims.get(name)
    if (claim === undefined) return
    claim.waitsFor.delete(from)
    if (taken || claim.waitsFor.size === 0) claim.settle(!taken)
  }

  /** Whether another thread must do without a name. */
  private refuses(name: string, other: string): boolean {
    if (this.bound.has(name)) return true
    const claim = this.claims.get(name)
    if (claim === undefined) return false
    if (this.self < other) return true
    claim.settle(false)
    return false
  }

  private take(name: string, on: ListenEvents): Listener {
    this.bound.set(name, on)
    this.say({ kind: "bound", name })
    return { endpoint: `inproc://${name}`, close: () => void this.bound.delete(name) }
  }

  /** Connects all who wait for a name. */
  private find(name: string, at: string): void {
    const seekers = this.seekers.get(name)
    if (seekers === undefined) return
    this.seekers.delete(name)
    for (const seeker of seekers) seeker.onFound(this.threads.connect(at, name))
  }

  private say(words: Words): boolean {
    this.heard = this.threads.say({ from: this.self, ...words })
    return this.heard
  }
}

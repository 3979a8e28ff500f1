/**
 * A machine without time: a {@link Runtime} whose clock stands still until a test moves it on. What is due runs in the
 * order of its time, then of its making, and after each step all promises get to run, so that a test sees the same from
 * the same seed every time.
 */
import type { ExitWatcher, Runtime, Timer } from "../../src/core/runtime.js"

interface Due {
  readonly at: number
  readonly serial: number
  /** A timer that somebody set, not a turn of the loop. */
  readonly timer: boolean
  readonly run: () => void
}

/** Longest virtual time that a test waits for anything: an hour. */
const PATIENCE = 3_600_000

/** Steps at one moment beyond which something runs in circles. */
const MOST_STEPS = 20_000

const EPOCH = Date.UTC(2026, 0, 1)

export class SimulatedRuntime implements Runtime {
  /** References that keep the process alive. */
  held = 0
  readonly warnings: string[] = []
  readonly watchers = new Set<ExitWatcher>()
  readonly debug = () => {}
  private time = 0
  private serial = 0
  private due: Due[] = []
  private state: number
  /** Steps since time last went on, and when that was. */
  private steps = 0
  private stepsAt = 0

  constructor(seed = 1) {
    this.state = seed
  }

  now(): number {
    return this.time
  }

  date(): number {
    return EPOCH + this.time
  }

  after(ms: number, callback: () => void): Timer {
    const entry = this.schedule(ms, true, callback)
    return {
      cancel: () => {
        this.due = this.due.filter(other => other !== entry)
      },
    }
  }

  soon(callback: () => void): void {
    queueMicrotask(callback)
  }

  later(callback: () => void): void {
    this.schedule(0, false, callback)
  }

  /** mulberry32. */
  random(): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  hold(): void {
    this.held++
  }

  release(): void {
    this.held--
  }

  watch(watcher: ExitWatcher): void {
    this.watchers.add(watcher)
  }

  unwatch(watcher: ExitWatcher): void {
    this.watchers.delete(watcher)
  }

  warn(text: string): void {
    this.warnings.push(text)
  }

  // For tests and the network

  /** Timers that wait. */
  get timers(): number {
    return this.due.filter(({ timer }) => timer).length
  }

  /** Calls after so long, as something that happens outside and not as a timer. */
  happen(ms: number, callback: () => void): void {
    this.schedule(ms, false, callback)
  }

  /** Runs the next thing that is due, up to a time. False: nothing is. */
  async step(until = Number.POSITIVE_INFINITY): Promise<boolean> {
    await settle()
    const next = this.due[0]
    if (next === undefined || next.at > until) return false
    this.due.shift()
    this.time = next.at
    next.run()
    await settle()
    return true
  }

  /** Lets time go by. */
  async advance(ms: number): Promise<void> {
    const target = this.time + ms
    while (await this.step(target)) this.checkProgress()
    this.time = target
  }

  /** Lets everything happen that is due now, and nothing that needs time. */
  async turn(): Promise<void> {
    await this.advance(0)
  }

  /** Lets time go by until a promise settles, and returns what it gives. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let settled = false
    const mark = () => {
      settled = true
    }
    promise.then(mark, mark)
    await this.eventually(() => settled)
    return promise
  }

  /** Lets time go by until something holds. */
  async eventually(holds: () => boolean): Promise<void> {
    const deadline = this.time + PATIENCE
    await settle()
    while (!holds()) {
      if (!(await this.step(deadline)))
        throw new Error(`at ${this.time} ms nothing more happens, and still not: ${holds}`)
      this.checkProgress()
    }
  }

  private checkProgress(): void {
    this.steps = this.time === this.stepsAt ? this.steps + 1 : 0
    this.stepsAt = this.time
    if (this.steps > MOST_STEPS) throw new Error(`so much happens at ${this.time} ms that time does not go on`)
  }

  private schedule(ms: number, timer: boolean, run: () => void): Due {
    const entry = { at: this.time + Math.max(0, ms), serial: this.serial++, timer, run }
    let at = this.due.length
    while (at > 0 && this.due[at - 1]!.at > entry.at) at--
    this.due.splice(at, 0, entry)
    return entry
  }
}

/** Lets promises run until none has anything to do. */
function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

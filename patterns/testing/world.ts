/**
 * A world from a seed: machines, the network between them and their disks, in simulated time. Nothing in it is real, so the same
 * seed and the same program give the same run, event by event; `trace` tells whether two runs were the same.
 */
import { ZmqError } from "../../src/index.js"
import { type Faults, noFaults } from "./fault-kinds.js"
import { Machine } from "./machine.js"
import { Network } from "./network.js"
import { createRandom, type Random } from "./random.js"
import { Timeline } from "./timeline.js"
import { Trace } from "./trace.js"
import { turns } from "./turns.js"

export interface WorldOptions {
  /** Everything comes from it. */
  seed: string | number
  /** The last lines of the log that are kept. Default 0: none, which is faster. */
  log?: number
  /** Milliseconds that a message takes: each connection draws its own delay between the two, and a message takes up to twice that. Default 0.1 to 2. */
  delay?: readonly [shortest: number, longest: number]
  /** Milliseconds of silence after which both ends give a connection up. Default 5,000. */
  patience?: number
  /** A send is under way until its promise has been looked at, so that whoever sends twice without waiting gets EBUSY each time. Default true. */
  strict?: boolean
}

export interface RunOptions {
  /** Asked after each event, when everything that follows from it has run. */
  until?: () => boolean
  /** Simulated milliseconds, at most; without `until`, exactly. Default: no limit. */
  limit?: number
}

/** Why a run ended: `until` said so, nothing was left that could make it, or the limit was reached. */
export type RunEnd = "until" | "idle" | "limit"

export class World {
  readonly seed: string
  /** For the scenario; machines have their own streams. */
  readonly random: Random
  readonly network: Network
  /** How many faults of each kind took place. */
  readonly faults: Faults = noFaults()
  private readonly root: Random
  private readonly timeline: Timeline
  private readonly known = new Map<string, Machine>()
  private failure: { error: unknown } | null = null
  private running = false

  constructor({ seed, log = 0, delay = [0.1, 2], patience = 5000, strict = true }: WorldOptions) {
    this.seed = String(seed)
    this.root = createRandom(this.seed)
    this.random = this.root.fork("scenario")
    this.timeline = new Timeline(new Trace(log))
    const [shortestDelay, longestDelay] = delay
    const options = { shortestDelay, longestDelay, patience, strict }
    this.network = new Network(this.timeline, this.root.fork("network"), this.faults, options)
  }

  /** Milliseconds since the world began. */
  get now(): number {
    return this.timeline.now
  }

  /** Events that have happened. */
  get events(): number {
    return this.timeline.events
  }

  /** A hash of all that has happened: 16 hexadecimal digits. */
  get trace(): string {
    return this.timeline.trace.hash
  }

  /** The last lines of the log, for whoever looks at a seed that failed. */
  get log(): string[] {
    return this.timeline.trace.lines
  }

  /** In the order in which they were first asked for. */
  get machines(): Machine[] {
    return [...this.known.values()]
  }

  /** The machine of that name, which is made when it is asked for first. Letters, digits, `_`, `.` and `-`. */
  machine(name: string): Machine {
    const known = this.known.get(name)
    if (known !== undefined) return known
    if (!/^[\w.-]+$/.test(name)) throw new ZmqError("EINVAL", { detail: `${name} is no name of a machine` })
    const fail = (error: unknown) => {
      this.failure ??= { error }
    }
    const random = this.root.fork(`machine ${name}`)
    const machine = new Machine(name, this.timeline, this.network, this.faults, random, fail)
    this.known.set(name, machine)
    return machine
  }

  /** Calls in so many simulated milliseconds, whatever becomes of the machines. */
  after(ms: number, callback: () => void): { cancel(): void } {
    return this.timeline.call(null, ms, "scenario", callback)
  }

  /** A line of the scenario's own, in the log and in the trace. */
  note(text: string): void {
    const { now, trace } = this.timeline
    trace.mixText(text)
    trace.line(now, text)
  }

  /**
   * Lets events happen, one after the other; after each, everything that it has made ready runs before the next. Rejects with what a
   * program or a callback throws. One run at a time: EBUSY.
   */
  async run({ until, limit = Infinity }: RunOptions = {}): Promise<RunEnd> {
    if (this.running) throw Object.assign(new Error("The world is running"), { code: "EBUSY" })
    const { timeline } = this
    const last = timeline.now + limit
    let end: RunEnd = "idle"
    this.running = true
    try {
      await turns(() => {
        if (this.failure !== null) throw this.failure.error
        if (until?.()) end = "until"
        else if (timeline.next(last)) return true
        else if (last < Infinity && !(timeline.isIdle && until)) {
          timeline.now = last
          end = "limit"
        }
        return false
      })
    } finally {
      this.running = false
    }
    return end
  }
}

export function createWorld(options: WorldOptions): World {
  return new World(options)
}

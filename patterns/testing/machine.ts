/**
 * A simulated machine: one process at a time, with its sockets, clocks and chance, on a disk that outlives it. Programs take
 * `sockets` and `runtime` from it anew after each restart.
 */
import type { TypedRuntime } from "../typed/runtime.js"
import type { Sockets } from "../typed/sockets.js"
import { SimulatedClock, type WallClock } from "./clock.js"
import { SimulatedDealer, type SimulatedDealerOptions } from "./dealer.js"
import { SimulatedDisk } from "./disk.js"
import type { Faults } from "./fault-kinds.js"
import { LifeDisk } from "./life-disk.js"
import type { Network } from "./network.js"
import type { Random } from "./random.js"
import { SimulatedRouter, type SimulatedRouterOptions } from "./router.js"
import { Life, type Timeline } from "./timeline.js"

/** What runs on a machine. What it throws or rejects with, run() of the world rejects with. */
export type Program = (machine: Machine) => unknown

/** Milliseconds by which the clocks on the wall of two machines differ, at most. */
const WRONG = 2000

export class Machine {
  /** Where faults of the disk are made. */
  readonly disk: SimulatedDisk
  private readonly wall: WallClock
  private life: Life
  private lives = 0
  private program: Program | null = null
  private given: { sockets: Sockets; runtime: TypedRuntime }

  constructor(
    readonly name: string,
    private readonly timeline: Timeline,
    private readonly network: Network,
    private readonly faults: Faults,
    private readonly random: Random,
    private readonly fail: (error: unknown) => void,
  ) {
    this.disk = new SimulatedDisk(timeline, random.fork("disk"), faults)
    this.wall = { offset: Math.round(random.fork("wall").between(-WRONG / 2, WRONG / 2)), drift: 0 }
    this.life = new Life(name, timeline.now)
    this.given = this.give()
  }

  get alive(): boolean {
    return this.life.alive
  }

  /** `Router` and `Dealer`, as typed patterns take them. */
  get sockets(): Sockets {
    return this.given.sockets
  }

  get runtime(): TypedRuntime {
    return this.given.runtime
  }

  /** Runs a program now, and again after each restart. */
  start(program: Program): this {
    this.program = program
    if (this.alive) this.run(program)
    return this
  }

  /**
   * The power is gone. Sockets vanish: peers get what was on the way, up to a random message, and find their connections broken.
   * Timers do not fire and promises do not settle. The disk keeps what was synced, and of the rest whatever it likes.
   */
  crash(): void {
    if (!this.alive) return
    this.faults.crash++
    this.note("crash")
    this.life.end()
    this.disk.crash()
  }

  /** Begins a new life on the same disk, after a crash if there was none, and runs the program that start() was given. */
  restart(): this {
    this.crash()
    this.note("restart")
    this.life = new Life(this.name, this.timeline.now)
    this.given = this.give()
    if (this.program !== null) this.run(this.program)
    return this
  }

  /** It hangs for that long: its timers, its disk and what arrives wait. */
  stall(ms: number): void {
    if (!this.alive) return
    this.faults.stall++
    this.note(`stalls for ${ms} ms`)
    this.life.stalledUntil = Math.max(this.life.stalledUntil, this.timeline.now + ms)
  }

  /** Sets the clock on the wall forward, or back, by milliseconds. Timers do not notice. */
  jumpClock(ms: number): void {
    this.faults.clockJump++
    this.note(`clock jumps by ${ms} ms`)
    this.wall.offset += ms
  }

  /** From now on the clock on the wall gains that many milliseconds a second, or loses them. */
  driftClock(rate: number): void {
    this.wall.offset += (this.timeline.now / 1000) * (this.wall.drift - rate)
    this.wall.drift = rate
  }

  private run(program: Program): void {
    const { life } = this
    const failed = (error: unknown) => {
      if (life.alive) this.fail(error)
    }
    try {
      Promise.resolve(program(this)).catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  private give(): { sockets: Sockets; runtime: TypedRuntime } {
    const { life, network, timeline } = this
    const random = this.random.fork(`life ${++this.lives}`)
    const clock = new SimulatedClock(timeline, life, this.wall)
    const runtime = { clock, random, disk: new LifeDisk(this.disk, life) }
    return { sockets: socketsOf(life, network), runtime }
  }

  private note(what: string): void {
    const { now, trace } = this.timeline
    trace.mixText(what)
    if (trace.keeps) trace.line(now, `${this.name}: ${what}`)
  }
}

/**
 * Constructors that give sockets of one life. They are functions and not classes of their own, so that the sockets of all
 * machines are of one shape, which keeps them fast.
 */
function socketsOf(life: Life, network: Network): Sockets {
  function Router(options?: SimulatedRouterOptions) {
    return new SimulatedRouter(life, network, options)
  }
  function Dealer(options?: SimulatedDealerOptions) {
    return new SimulatedDealer(life, network, options)
  }
  Router.prototype = SimulatedRouter.prototype
  Dealer.prototype = SimulatedDealer.prototype
  return { Router, Dealer } as unknown as Sockets
}

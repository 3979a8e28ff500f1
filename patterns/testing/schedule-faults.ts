/** Faults of all kinds from the seed of a world, over its machines and a span of time. */
import type { Machine } from "./machine.js"
import type { World } from "./world.js"

/** What can be asked for; torn and lost writes come with crashes. */
const KINDS = [
  "cut",
  "partition",
  "slow",
  "reorder",
  "duplicate",
  "diskFull",
  "diskSlow",
  "crash",
  "stall",
  "clockJump",
] as const

export type PlannedKind = (typeof KINDS)[number]

export interface FaultPlan {
  /** How many. */
  count: number
  /** Milliseconds from now in which they begin. */
  span: number
  /** Which ones. Default: all. */
  kinds?: readonly PlannedKind[]
  /** Among whom. Default: all machines of the world. */
  machines?: readonly Machine[]
  /**
   * Milliseconds that one lasts, at most; also until a machine that crashed starts again. Default: a
   * tenth of the span. One partition in four lasts `patience` longer.
   */
  longest?: number
}

export interface PlannedFault {
  readonly kind: PlannedKind
  /** Milliseconds since the world began. */
  readonly at: number
  readonly a: Machine
  /** The other one, where there is one. */
  readonly b: Machine
  readonly ms: number
}

const HOUR = 3_600_000
/** Times as long as usual that a slow disk takes. */
const SLOWNESS = 10
/** The share of partitions that outlast the patience of connections. */
const LASTING = 0.25

/** Arranges them, and returns them in the order in which they begin. The same world and plan give the same faults. */
export function scheduleFaults(world: World, plan: FaultPlan): PlannedFault[] {
  const { count, span, kinds = KINDS, machines = world.machines, longest = span / 10 } = plan
  const random = world.random.fork(`faults at ${world.now}`)
  const faults: PlannedFault[] = []
  for (let made = 0; made < count; made++) {
    const a = random.pick(machines)
    const others = machines.filter(machine => machine !== a)
    const b = others.length === 0 ? a : random.pick(others)
    const kind = random.pick(kinds)
    const at = world.now + random.between(0, span)
    const extra = kind === "partition" && random.chance(LASTING) ? world.network.patience : 0
    faults.push({ kind, at, a, b, ms: Math.ceil(random.between(0, longest) + extra) })
  }
  faults.sort((one, other) => one.at - other.at)
  for (const fault of faults) world.after(fault.at - world.now, () => BEGIN[fault.kind](world, fault))
  return faults
}

const BEGIN: Record<PlannedKind, (world: World, fault: PlannedFault) => void> = {
  cut: ({ network }, { a, b }) => network.cut(a, b),
  partition: ({ network }, { a, b, ms }) => network.partition(a, b, ms),
  slow: ({ network }, { a, b, ms }) => network.slow(a, b, ms / 10, ms),
  reorder: ({ network }, { a, b, ms }) => network.reorder(a, b, ms),
  duplicate: (world, { a, b, ms }) => {
    world.network.duplicate(a, b)
    world.after(ms, () => world.network.cut(a, b))
  },
  diskFull: (_, { a, ms }) => a.disk.fill(ms),
  diskSlow: (_, { a, ms }) => a.disk.slow(SLOWNESS, ms),
  crash: (world, { a, ms }) => {
    if (!a.alive) return
    a.crash()
    world.after(ms, () => {
      if (!a.alive) a.restart()
    })
  },
  stall: (_, { a, ms }) => a.stall(ms),
  clockJump: (_, { a, ms }) => a.jumpClock(ms % 2 === 0 ? HOUR : -HOUR),
}

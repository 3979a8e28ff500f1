/**
 * A pipeline in a simulated world: three producers with queues on disks, five consumers, 200 jobs, 20 faults, all from one
 * seed. Two producers share three consumers, the third has two groups of one consumer each. Some jobs have keys, some fail
 * now and then, some always. It ends when every queue is empty but for dead letters, and tells what went against the promises.
 */
import { Consumer, logStore, Producer, type ProducerOptions, type Store } from "../../patterns/pipeline/index.js"
import { createWorld, type Faults, type Machine, scheduleFaults } from "../../patterns/testing/index.js"
import type { TypedRuntime } from "../../patterns/typed/runtime.js"
import { Ledger, type Task } from "./ledger.js"

const JOBS = 200
const FAULTS = 16
/** Of producers, in addition: what they promise is mostly about these. */
const CRASHES = 4
/** In which they take place, in ms; nothing ends before. */
const SPAN = 1500
const MAX_JOBS = 24
const YEAR = 365 * 24 * 3_600_000

export interface Outcome {
  readonly violations: readonly string[]
  readonly faults: Faults
  readonly trace: string
  readonly handOuts: number
  readonly handled: number
  readonly dead: number
  readonly log: readonly string[]
}

/** A pipeline with something broken in it on purpose. */
export interface Variant {
  readonly store?: (store: Store) => Store
  readonly producer?: (producer: Producer<Task>) => void
  readonly options?: Partial<ProducerOptions>
}

export async function simulate(seed: number, variant: Variant = {}, log = 0): Promise<Outcome> {
  const world = createWorld({ seed, log, patience: 1500 })
  const ledger = new Ledger()
  const unfinished = new Set<string>()
  const producers = new Map<string, Producer<Task>>()

  const plan = (name: string, at: number): Task[] => {
    const tasks: Task[] = []
    const numbers = new Map<string, number>()
    const count = at === 0 ? JOBS - 2 * Math.floor(JOBS / 3) : Math.floor(JOBS / 3)
    for (let index = 0; index < count; index++) {
      const key = world.random.chance(0.5) ? `${name}-${"abc"[world.random.below(3)]}` : null
      const n = key === null ? 0 : (numbers.get(key) ?? 0)
      if (key !== null) numbers.set(key, n + 1)
      tasks.push({ id: `${name}-${index}`, key, n, poison: world.random.chance(0.03) })
    }
    return tasks
  }

  const groupsOf = (at: number) => (at === 2 ? ["x", "y"] : [""])

  for (let at = 0; at < 3; at++) {
    const name = `producer${at}`
    const tasks = plan(name, at)
    const byId = new Map(tasks.map(task => [task.id, task]))
    world.machine(name).start(async machine => {
      const { runtime } = machine
      unfinished.add(name)
      const producer = await openProducer(machine, groupsOf(at), ledger, variant)
      producers.set(name, producer)
      producer.on("dead", ({ id, group }) => ledger.die(id, group, byId.get(id)))
      for (const { id, group } of producer.dead) ledger.die(id, group, byId.get(id))
      // One line of sends for each key, so that their order is known; the jobs without a key are one more line.
      const lines = new Map<string | null, Task[]>()
      for (const task of tasks) lines.set(task.key, [...(lines.get(task.key) ?? []), task])
      await Promise.all(
        [...lines.values()].map(async line => {
          for (const task of line) {
            const isAgain = ledger.accepted.has(task.id)
            // Somebody who is not sure whether he has sent it sends it again.
            if (!isAgain || runtime.random() < 0.1) await sendUntilAccepted(producer, task, runtime)
            ledger.accept(task, groupsOf(at))
            if (producer.stats().jobs > MAX_JOBS) ledger.violation(`${name} has ${producer.stats().jobs} jobs`)
          }
        }),
      )
      await producer.drain()
      unfinished.delete(name)
    })
  }

  for (let at = 0; at < 5; at++) {
    const group = at < 3 ? "" : "xy"[at - 3]!
    const connect = at < 3 ? ["tcp://producer0:5555", "tcp://producer1:5555"] : "tcp://producer2:5555"
    world.machine(`consumer${at}`).start(async machine => {
      const { runtime } = machine
      const sockets = ledger.watching(machine.sockets, group)
      const consumer = new Consumer<Task>({ connect, group, sockets, runtime, prefetch: 1 + (at % 3) * 2 })
      await consumer.run(
        async (task, { signal }) => {
          ledger.begin(task, group)
          await sleep(runtime, runtime.random() < 0.02 ? 1500 : runtime.random() * 10)
          if (task.poison || runtime.random() < 0.05) throw new Error("it failed")
          if (!signal.aborted) ledger.end(task, group)
        },
        { concurrency: 1 + (at % 2) },
      )
    })
  }

  scheduleFaults(world, { count: FAULTS, span: SPAN })
  const machines = [0, 1, 2].map(at => world.machine(`producer${at}`))
  scheduleFaults(world, { count: CRASHES, span: SPAN, kinds: ["crash"], machines })
  const end = await world.run({ until: () => unfinished.size === 0 && world.now > SPAN, limit: 300_000 })
  if (end === "until") ledger.close()
  else {
    for (const name of unfinished) {
      ledger.violation(`${name} does not come to rest (${end}): ${JSON.stringify(producers.get(name)?.stats())}`)
    }
  }
  return {
    violations: ledger.faults,
    faults: world.faults,
    trace: world.trace,
    handOuts: ledger.handOuts,
    handled: [...ledger.handled.values()].reduce((sum, times) => sum + times, 0),
    dead: ledger.dead.size,
    log: world.log,
  }
}

async function openProducer(
  { sockets, runtime }: Machine,
  groups: readonly string[],
  ledger: Ledger,
  variant: Variant,
): Promise<Producer<Task>> {
  for (;;) {
    const log = logStore("/queue", runtime.disk, { segmentBytes: 8192 })
    const producer = new Producer<Task>({
      bind: "tcp://*:5555",
      store: variant.store?.(log) ?? log,
      groups,
      maxJobs: MAX_JOBS,
      maxAttempts: 6,
      backoff: { min: 5, max: 50 },
      lease: 400,
      heartbeat: 200,
      dedupeWindow: YEAR, // Longer than clocks jump.
      sockets: ledger.watching(sockets),
      runtime,
      ...variant.options,
    })
    variant.producer?.(producer)
    try {
      await producer.ready()
      return producer
    } catch (error) {
      // A full disk, or the lock of the life before: later it will do.
      if (!["ENOSPC", "EBUSY", "EIO"].includes((error as { code?: string }).code ?? "")) throw error
      await producer.close()
      await sleep(runtime, 100)
    }
  }
}

async function sendUntilAccepted(producer: Producer<Task>, task: Task, runtime: TypedRuntime): Promise<void> {
  for (;;) {
    try {
      await producer.send(task, { id: task.id, ...(task.key === null ? {} : { key: task.key }) })
      return
    } catch (error) {
      if ((error as { code?: string }).code !== "ENOSPC") throw error
      await sleep(runtime, 50)
    }
  }
}

function sleep({ clock }: TypedRuntime, ms: number): Promise<void> {
  return new Promise(resolve => void clock.after(ms, resolve))
}

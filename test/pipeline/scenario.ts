/**
 * A pipeline in a simulated world: three producers with queues on disks, five consumers, 200 jobs, 20 faults, all from one
 * seed. Two producers share three consumers, the third has two groups of one consumer each. Some jobs have keys, some fail
 * now and then, some always. A fourth producer has no queue and hands its jobs to the second. It ends when every queue is empty but for dead letters, and tells what went against the promises.
 */
import {
  Consumer,
  type HoldingOptions,
  logStore,
  Producer,
  type SendOptions,
  type Store,
} from "../../patterns/pipeline/index.js"
import { createWorld, type Faults, type Machine, scheduleFaults } from "../../patterns/testing/index.js"
import type { TypedRuntime } from "../../patterns/typed/runtime.js"
import { Ledger, type Task } from "./ledger.js"

/** Of the producers, and of the one that has no queue: 200 in all. */
const COUNTS = [68, 46, 66, 20] as const
const FAULTS = 16
/** Of producers, in addition: what they promise is mostly about these. */
const CRASHES = 4
/** In which they take place, in ms; nothing ends before. */
const SPAN = 1500
const MAX_JOBS = 24
/** Of the producers: one that ends before a consumer is taken for lost, and some that end behind that. In ms. */
const LEASES = [400, 1000, 2000] as const
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
  readonly options?: Partial<HoldingOptions>
}

export async function simulate(seed: number, variant: Variant = {}, log = 0): Promise<Outcome> {
  const world = createWorld({ seed, log, patience: 1500 })
  const ledger = new Ledger()
  const unfinished = new Set<string>()
  const producers = new Map<string, Producer<Task>>()

  const plan = (name: string, count: number): Task[] => {
    const tasks: Task[] = []
    const numbers = new Map<string, number>()
    for (let index = 0; index < count; index++) {
      const key = world.random.chance(0.5) ? `${name}-${"abc"[world.random.below(3)]}` : null
      const n = key === null ? 0 : (numbers.get(key) ?? 0)
      if (key !== null) numbers.set(key, n + 1)
      tasks.push({ id: `${name}-${index}`, key, n, poison: world.random.chance(0.03) })
    }
    return tasks
  }

  const groupsOf = (at: number) => (at === 2 ? ["x", "y"] : [""])

  /** One line of sends for each key, so that their order is known; the jobs without a key are one more line. */
  const sendAll = async (tasks: Task[], send: (task: Task) => Promise<void>): Promise<void> => {
    const lines = new Map<string | null, Task[]>()
    for (const task of tasks) lines.set(task.key, [...(lines.get(task.key) ?? []), task])
    await Promise.all(
      [...lines.values()].map(async line => {
        for (const task of line) await send(task)
      }),
    )
  }

  const byId = new Map<string, Task>()
  for (let at = 0; at < 3; at++) {
    const name = `producer${at}`
    const tasks = plan(name, COUNTS[at]!)
    for (const task of tasks) byId.set(task.id, task)
    world.machine(name).start(async machine => {
      const { runtime } = machine
      unfinished.add(name)
      const producer = await openProducer(machine, at, groupsOf(at), ledger, variant)
      producers.set(name, producer)
      producer.on("dead", ({ id, group }) => ledger.die(id, group, byId.get(id)))
      for (const { id, group } of producer.dead) ledger.die(id, group, byId.get(id))
      await sendAll(tasks, async task => {
        const isAgain = ledger.accepted.has(task.id)
        // Somebody who is not sure whether he has sent it sends it again.
        if (!isAgain || runtime.random() < 0.1) await sendUntilAccepted(producer, task, runtime)
        ledger.accept(task, groupsOf(at))
        if (producer.stats().jobs > MAX_JOBS) ledger.violation(`${name} has ${producer.stats().jobs} jobs`)
      })
      await producer.drain()
      unfinished.delete(name)
    })
  }

  const submitted = plan("submitter", COUNTS[3]!)
  for (const task of submitted) byId.set(task.id, task)
  world.machine("submitter").start(async ({ runtime, sockets }) => {
    unfinished.add("submitter")
    const producer = new Producer<Task>({ connect: "tcp://producer1:5555", sockets, runtime })
    producers.set("submitter", producer)
    const results: Promise<string | null>[] = []
    await sendAll(submitted, async task => {
      if (ledger.accepted.has(task.id)) return
      const want = runtime.random() < 0.3
      const { done } = await sendUntilAccepted(producer, task, runtime, { timeout: 1000, want })
      ledger.accept(task, [""])
      results.push(
        done.then(
          value => (value === (want ? task.id : undefined) ? null : `returned ${value}`),
          ({ code }) => (code === "EDEAD" || code === "ENOENT" ? null : `rejected with ${code}`),
        ),
      )
    })
    // Who wants to know is told, whatever happens to the queue meanwhile.
    for (const wrong of await Promise.all(results))
      if (wrong !== null) ledger.violation(`a sender was told it ${wrong}`)
    unfinished.delete("submitter")
  })

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
          return task.id
        },
        { concurrency: 1 + (at % 2) },
      )
    })
  }

  scheduleFaults(world, { count: FAULTS, span: SPAN })
  const machines = [0, 1, 2].map(at => world.machine(`producer${at}`))
  scheduleFaults(world, { count: CRASHES, span: SPAN, kinds: ["crash"], machines })
  // A producer that is done may be handed jobs by the one that has no queue.
  const isEmpty = (producer: Producer<Task>) => {
    const { ready, delayed, blocked, inFlight } = producer.stats()
    return ready + delayed + blocked + inFlight === 0
  }
  const isOver = () => unfinished.size === 0 && world.now > SPAN && [...producers.values()].every(isEmpty)
  const end = await world.run({ until: isOver, limit: 300_000 })
  if (end === "until") ledger.close()
  else {
    for (const name of unfinished.size > 0 ? unfinished : producers.keys()) {
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
  at: number,
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
      lease: LEASES[at]!,
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

/** Resolves with what the sender is told of its end. */
async function sendUntilAccepted(
  producer: Producer<Task>,
  task: Task,
  runtime: TypedRuntime,
  options: SendOptions = {},
): Promise<{ done: Promise<unknown> }> {
  for (;;) {
    try {
      const { done } = await producer.send(task, {
        id: task.id,
        ...(task.key === null ? {} : { key: task.key }),
        ...options,
      })
      return { done }
    } catch (error) {
      if (!["ENOSPC", "ETIMEDOUT"].includes((error as { code?: string }).code ?? "")) throw error
      await sleep(runtime, 50)
    }
  }
}

function sleep({ clock }: TypedRuntime, ms: number): Promise<void> {
  return new Promise(resolve => void clock.after(ms, resolve))
}

/** Pipelines that are broken on purpose: the simulator must notice each of them, or it is worth nothing. */
import type { Producer, Store } from "../../patterns/pipeline/index.js"
import type { Task } from "./ledger.js"
import type { Variant } from "./scenario.js"

/** The insides of a producer, as far as they are broken here. */
interface Insides {
  readonly host: { readonly dispatcher: Dispatcher }
  readonly queue: {
    readonly lanes: Lane[]
    readonly ids: { has(id: string): boolean }
    done(ticket: unknown, result: null, handle: null, onSafe: () => void): void
  }
}

interface Dispatcher {
  tick(): void
  lose(consumer: { held: Map<string, { ticket: unknown }> }, why: string): void
  end(handout: unknown): boolean
}

interface Lane {
  readonly keys: Map<string, unknown>
  nextOf(key: string): void
}

const insidesOf = (producer: Producer<Task>) => (producer as unknown as { readonly place: Insides }).place

/** Does not wait for the disk where `early` says so. */
function hasty(store: Store, early: (meta: Uint8Array, body: Uint8Array | null) => boolean): Store {
  const now = (change: Promise<void>, isEarly: boolean) => {
    if (!isEarly) return change
    change.catch(() => {})
    return Promise.resolve()
  }
  const nothing = new Uint8Array(0)
  return {
    open: visit => store.open(visit),
    bodies: keys => store.bodies(keys),
    close: () => store.close(),
    put: (key, meta, body) => now(store.put(key, meta, body), early(meta, body)),
    setMeta: (key, meta) => now(store.setMeta(key, meta), early(meta, null)),
    remove: key => now(store.remove(key), early(nothing, null)),
  }
}

export const variants: Record<string, Variant> = {
  "accepts a job before the disk has it": {
    store: store => hasty(store, (_, body) => body !== null && body.length > 0),
  },
  "confirms an end before the disk has it": {
    store: store => hasty(store, (_, body) => body === null || body.length === 0),
  },
  "forgets leases, and who is silent": {
    producer: producer => {
      insidesOf(producer).host.dispatcher.tick = () => {}
    },
  },
  "takes the jobs of a consumer that is lost for done": {
    producer: producer => {
      const { host, queue } = insidesOf(producer)
      const { dispatcher } = host
      const lose = dispatcher.lose.bind(dispatcher)
      dispatcher.lose = (consumer, why) => {
        for (const handout of [...consumer.held.values()])
          if (dispatcher.end(handout)) queue.done(handout.ticket, null, null, () => {})
        lose(consumer, why)
      }
    },
  },
  "lets the jobs of a key overtake each other": {
    producer: producer => {
      for (const lane of insidesOf(producer).queue.lanes) {
        lane.keys.get = () => undefined
        lane.nextOf = () => {}
      }
    },
  },
  "forgets the ids that it has accepted": {
    producer: producer => {
      insidesOf(producer).queue.ids.has = () => false
    },
  },
}

/**
 * What every store is held to, as a list of checks with names, for any test framework: give it a way to a new, empty store, and run
 * each. A check throws a plain Error that says what was expected.
 */
import type { Store } from "./store.js"

/** A new, empty store that is not open yet. */
export interface StoreUnderTest {
  readonly store: Store
  /** Another object on what `store` has left behind, not open yet, after `store` was closed; null: nothing outlives the object. */
  readonly again: (() => Store) | null
  /** Called behind each check. */
  dispose(): Promise<void>
}

export interface StoreCheck {
  readonly name: string
  run(): Promise<void>
}

interface Bench extends StoreUnderTest {
  readonly shown: (store: Store) => Promise<string>
}

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (value: Uint8Array) => new TextDecoder().decode(value)

/** The checks. Each makes a store of its own. */
export function storeConformance(make: () => Promise<StoreUnderTest>): StoreCheck[] {
  return Object.entries(CHECKS).map(([name, check]) => ({
    name,
    async run() {
      const under = await make()
      try {
        await check({ ...under, shown })
      } finally {
        await under.store.close()
        await under.dispose()
      }
    },
  }))
}

const CHECKS: Record<string, (bench: Bench) => Promise<void>> = {
  async "a new store is empty"({ store, shown }) {
    same(await shown(store), "")
    same(String((await store.bodies([])).length), "0")
  },

  async "bodies come in the order asked for, and twice when asked twice"({ store, shown }) {
    await shown(store)
    await Promise.all([7, 3, 5].map(key => store.put(key, bytes("m"), bytes(`body ${key}`))))
    same((await store.bodies([5, 7, 3, 5])).map(text).join(), "body 5,body 7,body 3,body 5")
  },

  async "a body is there before its put is safe"({ store, shown }) {
    await shown(store)
    const put = store.put(1, bytes("m"), bytes("early"))
    same((await store.bodies([1])).map(text).join(), "early")
    await put
    same((await store.bodies([1])).map(text).join(), "early")
  },

  async "bodies are the caller's, and what was put is the store's"({ store, shown }) {
    await shown(store)
    const body = bytes("mine")
    await store.put(1, bytes("m"), body)
    body.fill(0)
    const [first] = await store.bodies([1])
    same(text(first!), "mine")
    first!.fill(0)
    same((await store.bodies([1])).map(text).join(), "mine")
  },

  async "a put replaces meta and body"({ store, shown, again }) {
    await shown(store)
    await store.put(1, bytes("a"), bytes("first"))
    await store.put(1, bytes("b"), bytes("second"))
    same((await store.bodies([1])).map(text).join(), "second")
    await reopened(store, again, async next => same(await shown(next), "1=b:second"))
  },

  async "setMeta replaces meta alone"({ store, shown, again }) {
    await shown(store)
    await store.put(1, bytes("a"), bytes("body"))
    await store.setMeta(1, bytes("a longer one"))
    same((await store.bodies([1])).map(text).join(), "body")
    await reopened(store, again, async next => same(await shown(next), "1=a longer one:body"))
  },

  async "meta and body may be empty"({ store, shown, again }) {
    await shown(store)
    await store.put(0, bytes(""), bytes(""))
    same(String((await store.bodies([0]))[0]!.length), "0")
    await reopened(store, again, async next => same(await shown(next), "0=:"))
  },

  async "what is not there is ENOENT: removed, or never put"({ store, shown }) {
    await shown(store)
    await store.put(1, bytes("m"), bytes("b"))
    await store.remove(1)
    for (const key of [1, 2]) {
      await rejects("ENOENT", store.setMeta(key, bytes("m")))
      await rejects("ENOENT", store.remove(key))
      await rejects("ENOENT", store.bodies([key]))
    }
  },

  async "changes that are called together happen in their order"({ store, shown, again }) {
    await shown(store)
    const changes = [
      store.put(1, bytes("a"), bytes("1")),
      store.remove(1),
      store.put(2, bytes("a"), bytes("2")),
      store.setMeta(2, bytes("b")),
      store.put(3, bytes("a"), bytes("3")),
      store.remove(3),
      store.put(3, bytes("c"), bytes("33")),
      store.setMeta(3, bytes("d")),
    ]
    await rejects("ENOENT", store.bodies([1]))
    await Promise.all(changes)
    same((await store.bodies([2, 3])).map(text).join(), "2,33")
    await reopened(store, again, async next => same(await shown(next), "2=b:2 3=d:33"))
  },

  async "entries are shown in the order of keys, up to the greatest"({ store, shown, again }) {
    await shown(store)
    const keys = [2 ** 48 - 1, 0, 2 ** 32, 2 ** 32 - 1, 10, 9, 2 ** 40 + 1]
    await Promise.all(keys.map(key => store.put(key, bytes("m"), bytes(String(key)))))
    const expected = keys.sort((a, b) => a - b).map(key => `${key}=m:${key}`)
    await reopened(store, again, async next => same(await shown(next), expected.join(" ")))
  },

  async "a key that is none is EINVAL"({ store, shown }) {
    await shown(store)
    for (const key of [-1, 0.5, 2 ** 48, Number.NaN]) await rejects("EINVAL", store.put(key, bytes("m"), bytes("b")))
  },

  async "big bodies come back whole"({ store, shown, again }) {
    await shown(store)
    const body = Uint8Array.from({ length: 3_000_001 }, (_, at) => (at * 31) % 251)
    await Promise.all([1, 2, 3].map(key => store.put(key, bytes("m"), body)))
    const check = async (from: Store) => {
      for (const found of await from.bodies([3, 1, 2])) {
        same(String(found.length), String(body.length))
        same(String(found.findIndex((byte, at) => byte !== body[at])), "-1")
      }
    }
    await check(store)
    await reopened(store, again, async next => {
      await next.open(() => {})
      await check(next)
    })
  },

  async "a store is one owner's: EBUSY for another, and for a second open"({ store, shown, again }) {
    await shown(store)
    await rejects(
      "EBUSY",
      store.open(() => {}),
    )
    if (again === null) return
    await rejects(
      "EBUSY",
      again().open(() => {}),
    )
    await store.put(1, bytes("m"), bytes("still mine"))
  },

  async "close waits for what was begun, and ends the store"({ store, shown, again }) {
    await shown(store)
    const put = store.put(1, bytes("m"), bytes("b"))
    await store.close()
    await put
    await rejects("EBADF", store.put(2, bytes("m"), bytes("b")))
    await rejects("EBADF", store.bodies([1]))
    await store.close()
    await reopened(store, again, async next => same(await shown(next), "1=m:b"))
  },
}

/** Opens a store; all that is in it. */
async function shown(store: Store): Promise<string> {
  const metas = new Map<number, string>()
  const { entries, cut } = await store.open((key, meta) => metas.set(key, text(meta)))
  same(String(entries), String(metas.size))
  same(String(cut), "null")
  const bodies = await store.bodies([...metas.keys()])
  return [...metas].map(([key, meta], at) => `${key}=${meta}:${text(bodies[at]!)}`).join(" ")
}

async function reopened(store: Store, again: (() => Store) | null, check: (store: Store) => Promise<void>) {
  if (again === null) return
  await store.close()
  const next = again()
  try {
    await check(next)
  } finally {
    await next.close()
  }
}

function same(found: string, expected: string): void {
  if (found !== expected) throw new Error(`expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`)
}

async function rejects(code: string, promise: Promise<unknown>): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if ((error as { code?: unknown } | undefined)?.code !== code) throw new Error(`expected ${code}, found ${error}`)
}

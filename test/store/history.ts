/** Random histories of changes, and the states that they lead through. */
import fc from "fast-check"
import type { Store } from "../../patterns/store/store.js"

export interface Step {
  readonly kind: "put" | "setMeta" | "remove"
  readonly key: number
  readonly meta: string
  readonly body: string
  /** Microtasks until the next step; -1: waits until this one is safe. */
  readonly pause: number
}

const someText = (longest: number) =>
  fc.tuple(fc.string({ maxLength: 6 }), fc.nat(longest)).map(([text, length]) => text.padEnd(length, "x"))

/** Long lives with little in them: most of the log is dead, and compaction is always at it. */
export const churn = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom("put", "put", "setMeta", "setMeta", "remove"),
    // Some are changed all the time, some seldom.
    key: fc.constantFrom(0, 0, 0, 0, 0, 1, 1, 1, 2, 3),
    meta: someText(4),
    body: someText(30),
    pause: fc.constantFrom(-1, 0, 3, 12, 40),
  }),
  { minLength: 50, maxLength: 200 },
)

export const history = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom("put", "put", "setMeta", "remove", "remove"),
    key: fc.integer({ min: 0, max: 7 }).map(key => (key === 7 ? 2 ** 47 + 1 : key)),
    meta: someText(12),
    body: someText(80),
    pause: fc.constantFrom(-1, 0, 0, 0, 3, 12, 40),
  }),
  { minLength: 1, maxLength: 60 },
)

export const bytes = (text: string) => new TextEncoder().encode(text)
export const textOf = (value: Uint8Array) => new TextDecoder().decode(value)

export type State = Map<number, { meta: string; body: string }>

/** What a step was answered with; null: nothing yet. */
export type Outcome = "safe" | "refused" | null

/** Takes the steps one after the other; `outcomes` fills as they are answered. ENOENT counts as refused. */
export async function take(store: Store, steps: readonly Step[], outcomes: Outcome[]): Promise<void> {
  const answers: Promise<void>[] = []
  for (const [at, { kind, key, meta, body, pause }] of steps.entries()) {
    outcomes[at] = null
    const call =
      kind === "put"
        ? store.put(key, bytes(meta), bytes(body))
        : kind === "setMeta"
          ? store.setMeta(key, bytes(meta))
          : store.remove(key)
    const answer = call.then(
      () => {
        outcomes[at] = "safe"
      },
      () => {
        outcomes[at] = "refused"
      },
    )
    answers.push(answer)
    if (pause < 0) await answer
    else for (let turn = 0; turn < pause; turn++) await Promise.resolve()
  }
  await Promise.all(answers)
}

function apply(state: State, { kind, key, meta, body }: Step): void {
  if (kind === "put") state.set(key, { meta, body })
  else if (kind === "remove") state.delete(key)
  else {
    const entry = state.get(key)
    if (entry !== undefined) state.set(key, { meta, body: entry.body })
  }
}

export const print = (state: State) => JSON.stringify([...state].sort(([a], [b]) => a - b))

/** What a history may have left: its state after the last step that was safe, and after each that has not been answered. */
export function possible(steps: readonly Step[], outcomes: readonly Outcome[]): Set<string> {
  const state: State = new Map()
  const states = new Set<string>([print(state)])
  for (const [at, outcome] of outcomes.entries()) {
    if (outcome === "refused") continue
    apply(state, steps[at]!)
    if (outcome === "safe") states.clear()
    states.add(print(state))
  }
  return states
}

/** Opens a store and reads all of it. */
export async function read(store: Store): Promise<State> {
  const state: State = new Map()
  await store.open((key, meta) => state.set(key, { meta: textOf(meta), body: "" }))
  const keys = [...state.keys()]
  for (const [at, body] of (await store.bodies(keys)).entries()) state.get(keys[at]!)!.body = textOf(body)
  return state
}

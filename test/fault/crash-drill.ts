/**
 * Kills a producer and its workers with SIGKILL, over and over while jobs run, also a producer that is just opening its store,
 * and everybody at once; starts them again on the same folder, and counts what was accepted, what was handled, and what twice.
 */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Random } from "../fuzz/random.js"
import type { Summary } from "./crash-victim.js"

const VICTIM = "dist/test/fault/crash-victim.js"
const WORKERS = 3

export interface CrashCounts {
  readonly accepted: number
  /** Of these, jobs of which a send before a crash was not known to be accepted, and which the queue had already. */
  readonly known: number
  readonly handled: number
  /** Accepted, and handled by nobody. */
  readonly lost: number
  /** Handled once more, by what was killed first between the two. */
  readonly again: { readonly workerKilled: number; readonly producerKilled: number; readonly other: number }
  readonly kills: { readonly producer: number; readonly opening: number; readonly worker: number; readonly all: number }
  /** Times that the store cut off what a crash left half written. */
  readonly cuts: number
  readonly dead: number
  readonly left: number
  readonly seconds: number
}

interface Killed {
  readonly pid: number
  readonly isProducer: boolean
  readonly at: number
}

/** `jobs` in all, in as many rounds as there are kills. `seed` decides who is killed, and when. */
export async function crashDrill(jobs: number, rounds: number, seed: number): Promise<CrashCounts> {
  const began = performance.now()
  const chance = new Random(seed)
  const folder = mkdtempSync(join(tmpdir(), "crash-"))
  const family: ChildProcess[] = []
  const killed: Killed[] = []
  const kills = { producer: 0, opening: 0, worker: 0, all: 0 }
  const listeners = new Set<(place: number, what: unknown) => void>()
  let fail: (why: Error) => void = () => {}
  const failure = new Promise<never>((_, reject) => {
    fail = reject
  })
  failure.catch(() => {})

  function start(place: number): void {
    const role = place === 0 ? "producer" : "worker"
    const child = fork(VICTIM, [role, folder])
    family[place] = child
    child.on("message", what => {
      for (const listener of [...listeners]) listener(place, what)
    })
    child.on("exit", () => {
      if (!child.killed) fail(new Error(`a ${role} ended by itself`))
    })
  }

  /** Resolves at the message that completes it. */
  function until(isComplete: (place: number, what: unknown) => boolean): Promise<void> {
    const heard = new Promise<void>(resolve => {
      const listener = (place: number, what: unknown) => {
        if (!isComplete(place, what)) return
        listeners.delete(listener)
        resolve()
      }
      listeners.add(listener)
    })
    return Promise.race([heard, failure])
  }

  const said = (place: number, what: string) => until((from, heard) => from === place && heard === what)

  async function end(place: number): Promise<void> {
    const child = family[place]
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, "exit")
    child.kill("SIGKILL")
    await ended
    killed.push({ pid: child.pid!, isProducer: place === 0, at: Date.now() })
  }

  async function startAgain(places: number[]): Promise<void> {
    const back = Promise.all(places.map(place => said(place, place === 0 ? "ready" : "welcome")))
    for (const place of places) start(place)
    await back
  }

  async function killOne(): Promise<void> {
    const throwOf = chance.below(10)
    const everybody = family.map((_, place) => place)
    if (throwOf === 0) {
      kills.all++
      await Promise.all(everybody.map(end))
      await startAgain(everybody)
    } else if (throwOf <= 3) {
      kills.producer++
      await end(0)
      if (throwOf === 3) {
        const opening = said(0, "opening")
        start(0)
        await opening
        kills.opening++
        await end(0)
      }
      await startAgain([0])
    } else {
      kills.worker++
      const place = 1 + chance.below(WORKERS)
      await end(place)
      await startAgain([place])
    }
  }

  try {
    await startAgain(Array.from({ length: WORKERS + 1 }, (_, place) => place))
    const perRound = Math.floor(jobs / rounds) // what is left comes at the end
    for (let round = 1; round <= rounds; round++) {
      // In the midst of sending, or of work.
      const ofProducer = chance.once(2)
      let rest = 1 + chance.below(perRound)
      const underWay = until((place, what) => what === "progress" && (place === 0) === ofProducer && --rest === 0)
      family[0]!.send({ wanted: round * perRound, isLast: false })
      await underWay
      await killOne()
    }
    let summary = {} as Summary
    const drained = until((_, what) => {
      summary = what as Summary
      return summary.drained === true
    })
    family[0]!.send({ wanted: jobs, isLast: true })
    await drained
    const { dead, left } = summary
    const counted = count(folder, killed)
    return { ...counted, kills, dead, left, seconds: Math.round((performance.now() - began) / 1000) }
  } finally {
    await Promise.all(family.map((_, place) => end(place)))
    rmSync(folder, { recursive: true, force: true })
  }
}

function count(folder: string, killed: readonly Killed[]) {
  const linesOf = (name: string) => {
    const file = join(folder, name)
    return existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : []
  }
  const accepted = new Set(linesOf("accepted"))
  const before = new Map<string, { pid: number; at: number }>()
  const again = { workerKilled: 0, producerKilled: 0, other: 0 }
  for (const line of linesOf("handled")) {
    const [id = "", pid, at] = line.split(" ")
    const earlier = before.get(id)
    before.set(id, { pid: Number(pid), at: Number(at) })
    if (earlier === undefined) continue
    const why = killed.find(
      one => one.at >= earlier.at && one.at <= Number(at) && (one.isProducer || one.pid === earlier.pid),
    )
    if (why === undefined) again.other++
    else if (why.isProducer) again.producerKilled++
    else again.workerKilled++
  }
  const lost = [...accepted].filter(id => !before.has(id)).length
  const known = new Set(linesOf("known")).size
  return { accepted: accepted.size, known, handled: before.size, lost, again, cuts: linesOf("cuts").length }
}

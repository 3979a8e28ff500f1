/**
 * How the threads of a process agree on inproc names, with threads that are objects here: what one says waits for each of
 * the others until a test delivers it, in any order between two of them.
 */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { nodeRuntime } from "../../src/core/node-runtime.js"
import { ThreadNames } from "../../src/core/thread-names.js"
import type { ByteStream, ListenEvents, Said, ThreadEvents, TransportOptions } from "../../src/transport/transport.js"

const OPTIONS = {} as TransportOptions
const NOBODY: ListenEvents = { onStream() {}, onError() {} }

interface Member {
  readonly names: ThreadNames
  readonly heard: Said[]
  /** Lets the patience of this thread run out. */
  expire(): void
}

/** Threads of one process. */
class Room {
  private readonly listening = new Map<Member, ThreadEvents>()
  private readonly members: Member[] = []
  readonly connected: { to: string; name: string }[] = []

  enter(): Member {
    const timers = new Set<() => void>()
    const heard: Said[] = []
    const runtime = {
      ...nodeRuntime,
      after(_ms: number, callback: () => void) {
        timers.add(callback)
        return { cancel: () => void timers.delete(callback) }
      },
    }
    const names = new ThreadNames(
      {
        own: this.members.length,
        join: (_name, on) => void this.listening.set(member, on),
        say: said => {
          const others = [...this.listening.keys()].filter(other => other !== member)
          for (const other of others) other.heard.push(said)
          return others.length > 0
        },
        connect: (to, name) => {
          this.connected.push({ to, name })
          return {} as ByteStream
        },
      },
      runtime,
    )
    const member: Member = {
      names,
      heard,
      expire() {
        for (const callback of [...timers]) {
          timers.delete(callback)
          callback()
        }
      },
    }
    this.members.push(member)
    return member
  }

  /** Delivers the next message to a thread. False: there is none. */
  deliver(to: Member): boolean {
    const said = to.heard.shift()
    if (said === undefined) return false
    this.listening.get(to)?.onSaid(said)
    return true
  }

  /** Delivers all, to all but those who are busy. */
  async settle(busy: Member[] = []): Promise<void> {
    const able = this.members.filter(member => !busy.includes(member))
    do await Promise.resolve()
    while (able.map(member => this.deliver(member)).includes(true) || (await this.goesOn(able)))
  }

  /** Lets promises of the threads go on; whether they said more. */
  private async goesOn(able: Member[]): Promise<boolean> {
    await new Promise(resolve => setImmediate(resolve))
    return able.some(({ heard }) => heard.length > 0)
  }
}

/** What became of a bind; undefined: it still waits. */
function outcome(listening: Promise<unknown>): { code?: string } {
  const result: { code?: string } = {}
  listening.then(
    () => Object.assign(result, { code: "bound" }),
    error => Object.assign(result, { code: error.code }),
  )
  return result
}

describe("a name among threads", () => {
  it("is taken at once by a thread that is alone", async () => {
    const alone = new Room().enter()
    await expect(alone.names.listen("x", OPTIONS, NOBODY)).resolves.toMatchObject({ endpoint: "inproc://x" })
  })

  it("is refused by the thread that has it, until it is closed", async () => {
    const room = new Room()
    const [a, b] = [room.enter(), room.enter()]
    const listener = await a.names.listen("x", OPTIONS, NOBODY)
    const refused = outcome(b.names.listen("x", OPTIONS, NOBODY))
    await room.settle()
    expect(refused.code).toBe("EADDRINUSE")
    listener.close()
    const taken = outcome(b.names.listen("x", OPTIONS, NOBODY))
    await room.settle()
    expect(taken.code).toBe("bound")
  })

  it("waits for a thread that is busy, and only for a while", async () => {
    const room = new Room()
    const [a, busy, c] = [room.enter(), room.enter(), room.enter()]
    await a.names.listen("a", OPTIONS, NOBODY)
    const first = outcome(busy.names.listen("b", OPTIONS, NOBODY))
    await room.settle()
    expect(first.code).toBe("bound")
    const asked = outcome(c.names.listen("x", OPTIONS, NOBODY))
    await room.settle([busy])
    expect(asked.code).toBeUndefined()
    c.expire()
    await room.settle([busy])
    expect(asked.code).toBe("bound")
    // It is not waited for again before it has said something.
    const next = outcome(c.names.listen("y", OPTIONS, NOBODY))
    await room.settle([busy])
    expect(next.code).toBe("bound")
    await room.settle()
    const heardAgain = outcome(c.names.listen("b", OPTIONS, NOBODY))
    await room.settle()
    expect(heardAgain.code).toBe("EADDRINUSE")
  })

  it("is refused by a thread that the newcomer knows by hearsay only", async () => {
    const room = new Room()
    const [a, slow, newcomer] = [room.enter(), room.enter(), room.enter()]
    await a.names.listen("a", OPTIONS, NOBODY)
    const taken = outcome(slow.names.listen("x", OPTIONS, NOBODY))
    await room.settle()
    expect(taken.code).toBe("bound")
    const refused = outcome(newcomer.names.listen("x", OPTIONS, NOBODY))
    await room.settle([slow])
    expect(refused.code).toBeUndefined()
    await room.settle()
    expect(refused.code).toBe("EADDRINUSE")
  })

  it("goes to exactly one of those who want it at a time, in whatever order they hear of each other", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 2 }), { maxLength: 60 }), async order => {
        const room = new Room()
        const members = [room.enter(), room.enter(), room.enter()]
        // They know each other: those who meet for the first time in the same moment may not.
        for (const [index, { names }] of members.entries()) {
          const met = outcome(names.listen(`own ${index}`, OPTIONS, NOBODY))
          await room.settle()
          expect(met.code).toBe("bound")
        }
        const outcomes = members.map(({ names }) => outcome(names.listen("x", OPTIONS, NOBODY)))
        await Promise.resolve()
        for (const index of order) {
          room.deliver(members[index]!)
          await Promise.resolve()
        }
        await room.settle()
        expect(outcomes.map(({ code }) => code).sort()).toEqual(["EADDRINUSE", "EADDRINUSE", "bound"])
      }),
      { numRuns: 200 },
    )
  })
})

describe("who looks for a name", () => {
  it("is connected when it is there, and when it comes, once", async () => {
    const room = new Room()
    const [a, b] = [room.enter(), room.enter()]
    const found: string[] = []
    const seeker = (who: string) => ({ onFound: () => void found.push(who) })
    b.names.seek("x", seeker("early"))
    await room.settle()
    expect(found).toEqual([])
    const bound = outcome(a.names.listen("x", OPTIONS, NOBODY))
    await room.settle()
    expect(bound.code).toBe("bound")
    expect(found).toEqual(["early"])
    b.names.seek("x", seeker("late"))
    await room.settle()
    expect(found).toEqual(["early", "late"])
    expect(room.connected.map(({ name }) => name)).toEqual(["x", "x"])
  })

  it("is not connected any more when it has stopped looking", async () => {
    const room = new Room()
    const [a, b] = [room.enter(), room.enter()]
    const seeker = {
      onFound() {
        throw new Error("was found")
      },
    }
    b.names.seek("x", seeker)
    b.names.forget("x", seeker)
    const bound = outcome(a.names.listen("x", OPTIONS, NOBODY))
    await room.settle()
    expect(bound.code).toBe("bound")
    expect(room.connected).toEqual([])
  })
})

describe("a stream for a name", () => {
  it("goes to who has it; without one it is destroyed", async () => {
    const room = new Room()
    const a = room.enter()
    const streams: unknown[] = []
    const listener = await a.names.listen("x", OPTIONS, { ...NOBODY, onStream: stream => void streams.push(stream) })
    let destroyed = 0
    const stream = { destroy: () => void destroyed++ } as unknown as ByteStream
    a.names.onStream("x", stream)
    expect([streams, destroyed]).toEqual([[stream], 0])
    listener.close()
    a.names.onStream("x", stream)
    expect([streams, destroyed]).toEqual([[stream], 1])
  })
})

/**
 * Whose turn it is: the list of active pipes, the load balancer and the fair queue against models of what they promise.
 * 30/PIPELINE and 28/REQREP: round robin out, fair queueing in; a message goes to somebody who can take it, or to nobody.
 */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ActiveList } from "../../src/pipe/active-list.js"
import { FairQueue } from "../../src/pipe/fair-queue.js"
import { LoadBalancer } from "../../src/pipe/load-balancer.js"
import type { Pipe } from "../../src/pipe/pipe.js"
import { createPipe, marks, Owner } from "./pipes.js"

const numbered = (n: number) => [Uint8Array.of(n >> 8, n & 255)]
const numberOf = (message: Uint8Array[]) => message[0]![0]! * 256 + message[0]![1]!

describe("a list of active pipes", () => {
  const step = fc.record({
    op: fc.constantFrom("add", "add idle", "remove", "activate", "deactivate", "advance"),
    which: fc.nat(5),
  })

  it("knows its pipes, and gives the turn to an active one whenever there is one", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), steps => {
        const pipes = Array.from({ length: 6 }, () => createPipe())
        const list = new ActiveList()
        const active = new Map<Pipe, boolean>()
        for (const { op, which } of steps) {
          const pipe = pipes[which]!
          const known = active.has(pipe)
          if (op.startsWith("add") && !known) {
            list.add(pipe, op === "add")
            active.set(pipe, op === "add")
          } else if (op === "remove") {
            list.remove(pipe)
            active.delete(pipe)
          } else if (op === "activate") {
            list.activate(pipe)
            if (known) active.set(pipe, true)
          } else if (op === "deactivate") {
            list.deactivate(pipe)
            if (known) active.set(pipe, false)
          } else if (op === "advance") list.advance()
          expect(list.single).toBe([...active.values()].filter(Boolean).length === 1)
          expect(new Set(list)).toEqual(new Set(active.keys()))
          for (const one of pipes) expect(list.has(one)).toBe(active.has(one))
          const anyActive = [...active.values()].some(Boolean)
          expect(list.current === undefined).toBe(!anyActive)
          if (list.current !== undefined) expect(active.get(list.current)).toBe(true)
        }
        // From here on every active one has exactly one turn in each round.
        const all = [...active.values()].filter(Boolean).length
        for (let round = 0; round < 3; round++) {
          const turns = new Set<Pipe | undefined>()
          for (let i = 0; i < all; i++, list.advance()) turns.add(list.current)
          expect(turns.size).toBe(all)
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe("a load balancer", () => {
  it("goes round: each of its pipes gets every n-th message, in order", () => {
    const balancer = new LoadBalancer()
    const pipes = Array.from({ length: 5 }, () => createPipe())
    for (const pipe of pipes) balancer.add(pipe)
    const got = Array.from({ length: 50 }, (_, n) => pipes.indexOf(balancer.write(numbered(n))!))
    expect(got).toEqual(Array.from({ length: 50 }, (_, n) => n % 5))
    pipes.forEach((pipe, index) => {
      for (let n = index; n < 50; n += 5) expect(numberOf(pipe.outbound.shift()!)).toBe(n)
    })
  })

  it("has nobody to write to without pipes, or when all are full", () => {
    const balancer = new LoadBalancer()
    expect(balancer.writable).toBe(false)
    expect(balancer.write(numbered(0))).toBeUndefined()
    const pipe = createPipe(new Owner(), marks(), marks(1))
    balancer.add(pipe)
    expect(balancer.writable).toBe(true)
    expect(balancer.write(numbered(0))).toBe(pipe)
    expect(balancer.writable).toBe(false)
    expect(balancer.write(numbered(1))).toBeUndefined()
    expect(pipe.outbound.length).toBe(1)
  })

  it("writes if and only if one has room, loses and doubles nothing, and lets nobody wait whom it could serve", () => {
    const step = fc.record({
      op: fc.constantFrom("write", "write", "write", "drain", "remove", "add"),
      which: fc.nat(4),
      count: fc.integer({ min: 1, max: 6 }),
    })
    const pipeMarks = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 5, maxLength: 5 })
    fc.assert(
      fc.property(pipeMarks, fc.array(step, { maxLength: 80 }), (pipeMarks, steps) => {
        const balancer = new LoadBalancer()
        const owner = new Owner()
        owner.onWritable = pipe => balancer.activate(pipe)
        const pipes = pipeMarks.map(mark => createPipe(owner, marks(), marks(mark)))
        const sent = new Map<Pipe, number[]>(pipes.map(pipe => [pipe, []]))
        const waiting = new Map<Pipe, number>(pipes.map(pipe => [pipe, 0]))
        for (const pipe of pipes) balancer.add(pipe)
        const members = new Set(pipes)
        let next = 0
        for (const { op, which, count } of steps) {
          const pipe = pipes[which]!
          if (op === "add" && !members.has(pipe)) {
            balancer.add(pipe)
            members.add(pipe)
            waiting.set(pipe, 0)
          } else if (op === "remove") {
            balancer.remove(pipe)
            members.delete(pipe)
            for (const each of pipes) waiting.set(each, 0) // whoever was behind it may lose his place
          }
          for (let i = 0; i < count; i++) {
            if (op === "drain") {
              const message = pipe.outbound.shift()
              expect(message === undefined ? undefined : numberOf(message)).toBe(sent.get(pipe)!.shift())
            } else if (op === "write") {
              const withRoom = [...members].filter(each => each.outbound.hasRoom(2))
              expect(balancer.writable).toBe(withRoom.length > 0)
              const to = balancer.write(numbered(next))
              expect(to === undefined).toBe(withRoom.length === 0)
              if (to === undefined) continue
              expect(withRoom).toContain(to)
              sent.get(to)!.push(next++)
              for (const each of members)
                waiting.set(each, each !== to && withRoom.includes(each) ? waiting.get(each)! + 1 : 0)
              for (const each of members) expect(waiting.get(each)).toBeLessThan(2 * pipes.length)
            }
          }
        }
        for (const [pipe, numbers] of sent) {
          expect(Array.from({ length: pipe.outbound.length }, () => numberOf(pipe.outbound.shift()!))).toEqual(numbers)
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe("a fair queue", () => {
  it("takes one message of each pipe in turn, however long their queues are", () => {
    const queue = new FairQueue()
    const pipes = [50, 3, 50, 1].map(count => {
      const pipe = createPipe()
      for (let n = 0; n < count; n++) pipe.deliver(numbered(n), 2)
      queue.add(pipe)
      return pipe
    })
    const order: number[] = []
    while (queue.read() !== undefined) order.push(pipes.indexOf(queue.from!))
    expect(order).toHaveLength(104)
    expect(order.slice(0, 7)).toEqual([0, 1, 2, 3, 0, 1, 2])
    for (let i = 12; i < 104; i++) expect(order[i]).not.toBe(order[i - 1]) // two are left, and take turns
  })

  it("takes many in turn as well, and empties in one go only a pipe that is alone", () => {
    const queue = new FairQueue()
    const pipes = [20, 6].map((count, index) => {
      const pipe = createPipe()
      for (let n = 0; n < count; n++) pipe.deliver(numbered(100 * index + n), 2)
      queue.add(pipe)
      return pipe
    })
    const messages: Uint8Array[][] = []
    queue.readMany(messages, 10)
    expect(messages.map(numberOf)).toEqual([0, 100, 1, 101, 2, 102, 3, 103, 4, 104])
    queue.readMany(messages, 100)
    expect(messages.slice(10).map(numberOf)).toEqual([5, 105, ...Array.from({ length: 14 }, (_, i) => 6 + i)])
    expect(pipes.map(pipe => pipe.inbound.length)).toEqual([0, 0])
  })

  it("gives what came, each once, in the order of its pipe; nobody waits for long; an ended pipe is read to its end", () => {
    const step = fc.record({
      op: fc.constantFrom("deliver", "deliver", "read", "read", "read many", "look", "end", "remove"),
      which: fc.nat(4),
      count: fc.integer({ min: 1, max: 6 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), steps => {
        const queue = new FairQueue()
        const owner = new Owner()
        owner.onReadable = pipe => queue.activate(pipe)
        const pipes = Array.from({ length: 5 }, () => createPipe(owner))
        const due = new Map<Pipe, number[]>(pipes.map(pipe => [pipe, []]))
        const waiting = new Map<Pipe, number>(pipes.map(pipe => [pipe, 0]))
        for (const pipe of pipes) queue.add(pipe)
        let next = 0
        const allDue = () => [...due.values()].reduce((sum, numbers) => sum + numbers.length, 0)
        const taken = (message: Uint8Array[], from = pipes.find(pipe => due.get(pipe)![0] === numberOf(message))) => {
          expect(numberOf(message)).toBe(due.get(from!)?.shift())
          for (const [pipe, numbers] of due)
            waiting.set(pipe, pipe !== from && numbers.length > 0 ? waiting.get(pipe)! + 1 : 0)
          for (const pipe of pipes) expect(waiting.get(pipe)).toBeLessThan(2 * pipes.length)
        }
        const read = () => {
          const message = queue.read()
          expect(message !== undefined).toBe(allDue() > 0)
          if (message !== undefined) taken(message, queue.from!)
        }
        for (const { op, which, count } of steps) {
          const pipe = pipes[which]!
          if (op === "end" && !pipe.ended) {
            pipe.ended = true
            queue.end(pipe)
          } else if (op === "remove") {
            pipe.ended = true
            queue.remove(pipe)
            due.set(pipe, [])
            for (const each of pipes) waiting.set(each, 0)
          } else if (op === "look") {
            expect(queue.readable).toBe(allDue() > 0)
          } else if (op === "read many") {
            const messages = [numbered(0)] // what is there stays
            const expected = Math.min(2 * count, allDue())
            queue.readMany(messages, 1 + 2 * count)
            expect(messages).toHaveLength(1 + expected)
            for (const message of messages.slice(1)) taken(message)
          } else if (op === "deliver" && !pipe.ended) {
            for (let i = 0; i < count; i++) {
              due.get(pipe)!.push(next)
              pipe.deliver(numbered(next++), 2)
            }
            pipe.announce()
          } else if (op === "read") for (let i = 0; i < count; i++) read()
        }
        while (allDue() > 0) read()
        expect(queue.readable).toBe(false)
      }),
      { numRuns: 300 },
    )
  })
})

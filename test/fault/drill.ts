/**
 * One attack drill: a socket in its own process, a healthy peer in another one, and the attack from here. What comes out is the rate
 * of the healthy peer before, during and after, the memory of the socket before, at the end of the attack and after it, and
 * who was ended by which limit.
 */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { setTimeout as passed } from "node:timers/promises"
import type { Figures, Task } from "./victim.js"

const VICTIM = "dist/test/fault/victim.js"
const MiB = 1024 * 1024
/** Memory has come back when no more than this is left of what the attack took. The allocator of the system keeps some. */
const LEFT_BYTES = 64 * MiB
const WAITS_FOR_MEMORY_MS = 30_000

export interface Attack {
  readonly name: string
  readonly victim: "router" | "publisher"
  /** How much of it, at full size and in CI. */
  readonly full: number
  readonly short: number
  readonly victimTask?: Omit<Task, "endpoint" | "to">
  readonly healthyOptions?: Record<string, unknown>
  run(attacker: Attacker, size: number): Promise<void>
}

export interface Result {
  readonly attack: string
  readonly size: number
  /** Messages a second of the healthy peer. */
  readonly before: number
  readonly during: number
  readonly after: number
  /** MiB of the socket's process. */
  readonly memory: readonly [before: number, during: number, after: number]
  readonly cameBack: boolean
  /** Connections of the attacker, and those that the socket ended. */
  readonly opened: number
  readonly ended: number
  readonly refused: Readonly<Record<string, number>>
  readonly seconds: number
}

/** The connections of the attacker. */
export class Attacker {
  opened = 0
  ended = 0
  readonly sockets = new Set<Socket>()
  constructor(
    private readonly port: number,
    /** Milliseconds that an attack goes on for when it has no end of its own. */
    readonly holdMs: number,
  ) {}

  /** A connection; resolves when it is there, or was refused. */
  async open(): Promise<Socket> {
    const socket = connect({ host: "127.0.0.1", port: this.port, noDelay: true })
    this.sockets.add(socket)
    socket.on("error", () => {})
    await new Promise<void>(resolve => socket.once("connect", resolve).once("close", () => resolve()))
    this.opened++
    socket.on("close", () => {
      if (this.sockets.delete(socket)) this.ended++
    })
    return socket
  }

  /** So many connections, some at a time, each with its first bytes. */
  async openMany(count: number, first: Buffer | null = null): Promise<void> {
    for (let opened = 0; opened < count; opened += 100) {
      const some = Array.from({ length: Math.min(100, count - opened) }, () => this.open())
      for (const socket of await Promise.all(some)) {
        socket.resume()
        if (first !== null) socket.write(first)
      }
    }
  }

  /** Writes so many pieces as fast as they are taken; ends when the connection does. */
  async pour(socket: Socket, pieces: number, piece: (index: number) => Buffer): Promise<void> {
    const closed = new Promise<void>(resolve => socket.once("close", () => resolve()))
    for (let at = 0; at < pieces && !socket.destroyed; at += 1000) {
      const batch = Array.from({ length: Math.min(1000, pieces - at) }, (_, index) => piece(at + index))
      if (socket.write(Buffer.concat(batch))) continue
      const drained = new Promise<void>(resolve => socket.once("drain", () => resolve()))
      await Promise.race([drained, closed, passed(this.holdMs)])
    }
  }

  /** Ends a connection by this side. */
  drop(socket: Socket): void {
    this.sockets.delete(socket)
    socket.destroy()
  }

  hold(): Promise<void> {
    return passed(this.holdMs)
  }

  dropAll(): void {
    for (const socket of [...this.sockets]) this.drop(socket)
  }
}

/** A process of a drill, which is asked for its figures. */
class Side {
  private constructor(private readonly child: ChildProcess) {}

  static async start(role: string, task: Task): Promise<Side> {
    const child = fork(VICTIM, [role, JSON.stringify(task)], { execArgv: ["--expose-gc"] })
    const [word] = await Promise.race([once(child, "message"), once(child, "exit")])
    if (word !== "ready") throw new Error(`${role} ended with ${word}`)
    return new Side(child)
  }

  async figures(): Promise<Figures> {
    this.child.send("figures")
    const [figures] = await Promise.race([once(this.child, "message"), once(this.child, "exit")])
    if (typeof figures !== "object" || figures === null) throw new Error(`the process of a drill ended with ${figures}`)
    return figures as Figures
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    this.child.kill("SIGKILL")
    await once(this.child, "exit")
  }
}

const rate = (from: Figures, to: Figures) => Math.round((to.count - from.count) / ((to.at - from.at) / 1000))
const mebibytes = (bytes: number) => Math.round(bytes / MiB)

/** Runs one attack. `holdMs`: how long each phase lasts. */
export async function drill(attack: Attack, size: number, holdMs: number): Promise<Result> {
  const sides: Side[] = []
  const victim = await Side.start(attack.victim, { options: {}, ...attack.victimTask })
  sides.push(victim)
  let attacker: Attacker | null = null
  try {
    const { endpoint } = await victim.figures()
    const healthy = await Side.start("healthy", {
      options: attack.healthyOptions ?? {},
      endpoint: endpoint!,
      to: attack.victim,
    })
    sides.push(healthy)
    const measured = async () => {
      const from = await healthy.figures()
      await passed(holdMs)
      return rate(from, await healthy.figures())
    }
    await passed(holdMs / 2)
    const before = await measured()
    const memoryBefore = (await victim.figures()).memory

    attacker = new Attacker(Number(endpoint!.slice(endpoint!.lastIndexOf(":") + 1)), holdMs)
    const from = await healthy.figures()
    await attack.run(attacker, size)
    const to = await healthy.figures()
    const atTheEnd = await victim.figures()
    const { opened, ended } = attacker
    attacker.dropAll()

    const after = await measured()
    let left = await victim.figures()
    for (let waited = 0; left.memory > memoryBefore + LEFT_BYTES && waited < WAITS_FOR_MEMORY_MS; waited += 500) {
      await passed(500)
      left = await victim.figures()
    }
    return {
      attack: attack.name,
      size,
      before,
      during: rate(from, to),
      after,
      memory: [mebibytes(memoryBefore), mebibytes(atTheEnd.memory), mebibytes(left.memory)],
      cameBack: left.memory <= memoryBefore + LEFT_BYTES,
      opened,
      ended,
      refused: left.refused,
      seconds: (to.at - from.at) / 1000,
    }
  } finally {
    attacker?.dropAll()
    await Promise.all(sides.map(side => side.stop()))
  }
}

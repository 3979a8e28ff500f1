/** A server that the bench has started, and ends by its own process group: it is the only one in there. */

import { type ChildProcess, spawn } from "node:child_process"
import { connect, createServer } from "node:net"

const stopGraceMs = 10_000
const living = new Set<Server>()

export class Server {
  readonly exited: Promise<void>
  private ended = false
  private output = ""

  constructor(
    readonly name: string,
    private readonly child: ChildProcess,
  ) {
    living.add(this)
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output = (this.output + text).slice(-2000)
      })
    }
    this.exited = new Promise(resolve => {
      const end = () => {
        this.ended = true
        living.delete(this)
        resolve()
      }
      child.once("exit", end)
      child.once("error", error => {
        this.output += error.message
        end()
      })
    })
  }

  /** 0: it could not be started. */
  get pid(): number {
    return this.child.pid ?? 0
  }

  /** Resolves when something listens there. */
  async listening(port: number, limitMs: number): Promise<void> {
    const until = performance.now() + limitMs
    while (!(await accepts(port))) {
      if (this.ended) throw new Error(`${this.name} has ended: ${this.output.trim() || "no output"}`)
      if (performance.now() > until) throw new Error(`${this.name} does not listen after ${limitMs / 1000} s`)
      await new Promise<void>(resolve => setTimeout(resolve, 50))
    }
  }

  async stop(): Promise<void> {
    this.signal("SIGTERM")
    const timer = setTimeout(() => this.kill(), stopGraceMs)
    await this.exited
    clearTimeout(timer)
    this.kill() // What it may have left in its group.
  }

  kill(): void {
    this.signal("SIGKILL")
  }

  private signal(signal: NodeJS.Signals): void {
    if (this.pid === 0) return
    try {
      process.kill(-this.pid, signal)
    } catch {
      // It is gone already.
    }
  }
}

/** Starts a program in a process group of its own. */
export function start(name: string, program: string, args: string[], env: NodeJS.ProcessEnv = process.env): Server {
  return new Server(name, spawn(program, args, { env, detached: true, stdio: ["ignore", "pipe", "pipe"] }))
}

/** For the way out on Ctrl-C. */
export function killServers(): void {
  for (const server of living) server.kill()
}

/** A port that nobody has at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once("error", reject)
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, "127.0.0.1")
    const say = (is: boolean) => () => {
      socket.destroy()
      resolve(is)
    }
    socket.once("connect", say(true))
    socket.once("error", say(false))
  })
}

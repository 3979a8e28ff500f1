/**
 * The processes of one run. `together` starts them, waits for their reports, and makes sure that all of them are gone
 * when it returns: a peer that fails takes the run with it, a run that takes too long is ended by process id, and
 * what a peer wrote to stderr is in the error.
 */

import { type ChildProcess, fork, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import type { Order, Report } from "./reports.js"

const stopGraceMs = 5_000
const living = new Set<ChildProcess>()

/** Ends every process that is still running; for the way out on Ctrl-C. */
export function killAll(): void {
  for (const child of living) child.kill("SIGKILL")
}

/** One process of a run, and what it has reported so far. */
export class PeerProcess {
  readonly exited: Promise<void>
  private readonly reports: Report[] = []
  private wake: () => void = () => {}
  private stderr = ""
  private ending = false

  constructor(
    private readonly name: string,
    private readonly child: ChildProcess,
    private readonly fail: (error: Error) => void,
  ) {
    living.add(child)
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text
    })
    // A program that is gone already cannot be told to stop; its exit code says whether that was right.
    child.stdin?.on("error", () => {})
    if (child.stdout) createInterface(child.stdout).on("line", line => this.heard(JSON.parse(line) as Report))
    child.on("message", message => this.heard(message as Report))
    child.on("error", error => fail(error))
    this.exited = new Promise(resolve => {
      child.once("close", (code, signal) => {
        living.delete(child)
        if (code !== 0 && !(this.ending && signal === "SIGKILL"))
          fail(new Error(`${name} ended with ${signal ?? `code ${code}`}: ${this.stderr.trim() || "no output"}`))
        resolve()
      })
    })
  }

  /** The next report, which has to be of that type. */
  async expect<T extends Report["type"]>(type: T): Promise<Extract<Report, { type: T }>> {
    while (this.reports.length === 0) await new Promise<void>(resolve => (this.wake = resolve))
    const report = this.reports.shift()!
    if (report.type !== type) throw new Error(`${this.name} reported ${report.type}, expected ${type}`)
    return report as Extract<Report, { type: T }>
  }

  order(order: Order): void {
    this.child.send(order)
  }

  /** Ends the process if it is still there. */
  async kill(): Promise<void> {
    this.ending = true
    this.child.kill("SIGKILL")
    await this.exited
  }

  /** Tells the peer to stop, the C program by the end of its stdin, and waits; one that does not stop is a failure. */
  async stop(): Promise<void> {
    if (this.child.stdin) this.child.stdin.end()
    else this.order("stop")
    const timer = setTimeout(
      () => this.fail(new Error(`${this.name} did not end within ${stopGraceMs} ms`)),
      stopGraceMs,
    )
    await this.exited
    clearTimeout(timer)
  }

  private heard(report: Report): void {
    this.reports.push(report)
    this.wake()
  }
}

/** Starts the processes of one run. */
export class Processes {
  private readonly started: PeerProcess[] = []
  constructor(private readonly fail: (error: Error) => void) {}

  /** Starts a file of `peers/` with its task. */
  fork(file: URL, task: object, execArgv: string[] = []): PeerProcess {
    const name = file.pathname.slice(file.pathname.lastIndexOf("/") + 1)
    const child = fork(file, [JSON.stringify(task)], { execArgv, stdio: ["ignore", "inherit", "pipe", "ipc"] })
    return this.add(new PeerProcess(name, child, this.fail))
  }

  /** Starts the C program. */
  native(program: string, args: (string | number)[]): PeerProcess {
    const child = spawn(program, args.map(String), { stdio: ["pipe", "pipe", "pipe"] })
    return this.add(new PeerProcess(`throughput.c ${args[0]}`, child, this.fail))
  }

  async killAll(): Promise<void> {
    await Promise.all(this.started.map(peer => peer.kill()))
  }

  private add(peer: PeerProcess): PeerProcess {
    this.started.push(peer)
    return peer
  }
}

/** Runs `body` with processes of its own; none of them outlives it. Rejects after `limitMs`. */
export async function together<T>(limitMs: number, body: (processes: Processes) => Promise<T>): Promise<T> {
  let fail: (error: Error) => void = () => {}
  const failed = new Promise<never>((_, reject) => (fail = reject))
  const processes = new Processes(fail)
  const timer = setTimeout(() => fail(new Error(`not done within ${limitMs / 1000} s`)), limitMs)
  try {
    return await Promise.race([body(processes), failed])
  } finally {
    clearTimeout(timer)
    await processes.killAll()
  }
}

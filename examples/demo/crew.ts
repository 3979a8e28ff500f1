/**
 * The child processes: starts them, notices when one ends that should not, and sees to it that none is left behind.
 */
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"

export class Crew {
  readonly #onCrash: (error: Error) => void
  readonly #children = new Map<string, { process: ChildProcess; end: Promise<string> }>()
  readonly #crashed = new Set<string>()
  #dismissed = false

  /** `onCrash` hears of a child that ends, in whatever way, before the crew is dismissed. */
  constructor(onCrash: (error: Error) => void) {
    this.#onCrash = onCrash
  }

  get size(): number {
    return this.#children.size
  }

  /** Each child's name and process id, for people who like to watch them. */
  get roster(): string {
    return [...this.#children].map(([name, child]) => `${name} ${child.process.pid}`).join(", ")
  }

  /** Runs one of the programs beside this file in a process of its own. */
  start(name: string, program: "ventilator" | "worker" | "sink", ...parameters: string[]): void {
    const file = fileURLToPath(new URL(`./${program}.js`, import.meta.url))
    const child = fork(file, [name, ...parameters], { stdio: ["ignore", "inherit", "inherit", "ipc"] })
    const end = new Promise<string>(resolve => {
      child.once("error", error => resolve(`could not be started: ${error.message}`))
      child.once("exit", (code, signal) =>
        resolve(signal === null ? `ended with code ${code}` : `was ended by ${signal}`),
      )
    })
    this.#children.set(name, { process: child, end })
    void end.then(how => {
      if (this.#dismissed) return
      this.#crashed.add(name)
      this.#onCrash(new Error(`${name} (process ${child.pid}) ${how}`))
    })
  }

  /**
   * Sends everybody home with `stop`. Who has not ended after the grace is killed.
   * Resolves, when all have ended, to those that did not end well and what became of them.
   */
  async dismiss(stop: (name: string) => Promise<void>, grace: number): Promise<string[]> {
    this.#dismissed = true
    const complaints: string[] = []
    for (const [name, child] of this.#children) {
      if (this.#crashed.has(name)) continue
      await stop(name).catch(() => child.process.kill()) // it never said hello, so there is no other way
      const timer = setTimeout(() => child.process.kill("SIGKILL"), grace)
      void child.end.then(() => clearTimeout(timer))
    }
    for (const [name, child] of this.#children) {
      const how = await child.end
      if (how !== "ended with code 0" && !this.#crashed.has(name)) complaints.push(`${name} ${how}`)
    }
    return complaints
  }
}

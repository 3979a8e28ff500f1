/**
 * A machine's simulated disk, which outlives crashes: its directories, and what is wrong with it at present. Directories
 * themselves are safe at once; everything else is safe when it was synced.
 */
import { Directory } from "./directory.js"
import type { Faults } from "./fault-kinds.js"
import type { Random } from "./random.js"
import type { Timeline } from "./timeline.js"

export class SimulatedDisk {
  private readonly directories = new Map<string, Directory>()
  private fullUntil = 0
  private slowness = 1
  private slowUntil = 0

  constructor(
    readonly timeline: Timeline,
    readonly random: Random,
    private readonly faults: Faults,
  ) {}

  /** For that long, writes and new files are ENOSPC; of the bytes of such a write, the first ones may be there. */
  fill(ms: number): void {
    this.faults.diskFull++
    this.fullUntil = this.timeline.now + ms
  }

  /** For that long, everything takes `times` as long. */
  slow(times: number, ms: number): void {
    this.faults.diskSlow++
    this.slowness = times
    this.slowUntil = this.timeline.now + ms
  }

  get isFull(): boolean {
    return this.fullUntil > this.timeline.now
  }

  /** Milliseconds that something takes which takes `ms` on a good day. */
  duration(ms: number): number {
    return ms * this.random.between(0.5, 2) * (this.slowUntil > this.timeline.now ? this.slowness : 1)
  }

  /** The power is gone. */
  crash(): void {
    for (const directory of this.directories.values()) {
      const { undone, files } = directory.crash(this.random)
      this.faults.lostName += undone
      for (const file of files) {
        const fate = file.crash(this.random)
        if (fate === "torn") this.faults.tornWrite++
        else if (fate === "lost") this.faults.lostWrite++
      }
    }
  }

  /** With its parents. */
  make(path: string): void {
    const parts = partsOf(path)
    for (let depth = 1; depth <= parts.length; depth++) {
      const key = parts.slice(0, depth).join("/")
      if (!this.directories.has(key)) this.directories.set(key, new Directory())
    }
  }

  /** ENOENT. */
  directory(path: string): Directory {
    const directory = this.directories.get(partsOf(path).join("/"))
    if (directory === undefined) throw diskError("ENOENT", path)
    return directory
  }

  /** The directory of a file, and its name there. ENOENT. */
  place(path: string): { directory: Directory; name: string } {
    const parts = partsOf(path)
    const name = parts.pop()
    if (name === undefined) throw diskError("EISDIR", path)
    return { directory: this.directory(parts.join("/")), name }
  }
}

function partsOf(path: string): string[] {
  return path.split("/").filter(part => part !== "" && part !== ".")
}

export function diskError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code, path })
}

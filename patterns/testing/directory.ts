/** A simulated directory: which names are safe, which are seen, and the changes between, each of which a crash may undo. */
import { FileContents } from "./file-contents.js"
import type { Random } from "./random.js"

/** Without a file: the name is removed. */
interface Renaming {
  readonly name: string
  readonly file: FileContents | null
}

export class Directory {
  /** Who has it alone. */
  locked = false
  private readonly safe = new Map<string, FileContents>()
  private seen = new Map<string, FileContents>()
  private changes: Renaming[] = []

  names(): string[] {
    return [...this.seen.keys()]
  }

  file(name: string): FileContents | undefined {
    return this.seen.get(name)
  }

  create(name: string): FileContents {
    const file = new FileContents()
    this.change({ name, file })
    return file
  }

  remove(name: string): void {
    this.change({ name, file: null })
  }

  /** What it returns makes the names safe that are there now. */
  sync(): () => void {
    const covered = new Set(this.changes)
    return () => {
      for (const change of this.changes) if (covered.has(change)) apply(this.safe, change)
      this.changes = this.changes.filter(change => !covered.has(change))
    }
  }

  /** Returns how many changes were undone, and the files that are left. */
  crash(random: Random): { undone: number; files: FileContents[] } {
    const survivors = this.changes.filter(() => random.chance(0.5))
    const undone = this.changes.length - survivors.length
    for (const change of survivors) apply(this.safe, change)
    this.seen = new Map(this.safe)
    this.changes = []
    return { undone, files: [...this.seen.values()] }
  }

  private change(change: Renaming): void {
    this.changes.push(change)
    apply(this.seen, change)
  }
}

function apply(names: Map<string, FileContents>, { name, file }: Renaming): void {
  if (file === null) names.delete(name)
  else names.set(name, file)
}

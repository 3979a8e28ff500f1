/** The real surroundings: Node's clock, timers and process. Timers do not keep the process alive; a context does. */
import { performance } from "node:perf_hooks"
import { debuglog } from "node:util"
import type { ExitWatcher, Runtime, Timer } from "./runtime.js"

/** The longest delay that Node's timers take. */
const LONGEST = 2 ** 31 - 1

/** One reference to the process, however many hold it. */
class Keeper {
  private holders = 0
  private timer: NodeJS.Timeout | null = null

  hold(): void {
    if (this.holders++ > 0) return
    if (this.timer === null) this.timer = setInterval(() => {}, LONGEST)
    else this.timer.ref()
  }

  release(): void {
    if (--this.holders === 0) this.timer?.unref()
  }
}

/** One listener on the process for all contexts. */
class ExitWatch {
  private readonly watchers = new Set<ExitWatcher>()
  private readonly onIdle = () => this.watchers.forEach(watcher => void watcher.onIdle())
  private readonly onExit = () => this.watchers.forEach(watcher => void watcher.onExit())

  watch(watcher: ExitWatcher): void {
    if (this.watchers.size === 0) process.on("beforeExit", this.onIdle).on("exit", this.onExit)
    this.watchers.add(watcher)
  }

  unwatch(watcher: ExitWatcher): void {
    this.watchers.delete(watcher)
    if (this.watchers.size === 0) process.off("beforeExit", this.onIdle).off("exit", this.onExit)
  }
}

class NodeTimer implements Timer {
  private readonly timeout: NodeJS.Timeout

  constructor(ms: number, callback: () => void) {
    this.timeout = setTimeout(callback, Math.min(ms, LONGEST)).unref()
  }

  cancel(): void {
    clearTimeout(this.timeout)
  }
}

const keeper = new Keeper()
const exits = new ExitWatch()

export const nodeRuntime: Runtime = {
  now: () => performance.now(),
  date: Date.now,
  after: (ms, callback) => new NodeTimer(ms, callback),
  soon: callback => process.nextTick(callback),
  later: callback => void setImmediate(callback),
  random: Math.random,
  hold: () => keeper.hold(),
  release: () => keeper.release(),
  watch: watcher => exits.watch(watcher),
  unwatch: watcher => exits.unwatch(watcher),
  warn: text => process.emitWarning(text),
  debug: debuglog("peerlane"),
}

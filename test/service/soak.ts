/**
 * `npm run soak [-- --calls 1000000 --seed 1]`: calls of every kind (load.ts), and after every 50,000 the memory that is left behind a
 * collection of garbage. The exit code is 1 where the heap grows.
 */
import { parseArgs } from "node:util"
import { Load } from "./load.js"

const EVERY = 50_000
/** One of so many samples is not looked at, the first: code is compiled, and pools fill. */
const WARM_UP = 5
/** MiB of heap for each 100,000 calls: 5 bytes for a call. Anything kept of each would be more. */
const FLAT = 0.5
const MiB = 1024 * 1024

const { values } = parseArgs({
  options: { calls: { type: "string", default: "1000000" }, seed: { type: "string", default: "1" } },
})
const wanted = Number(values.calls)
if (globalThis.gc === undefined) throw new Error("node --expose-gc, please")

const load = await Load.start(Number(values.seed))
const heaps: number[] = []
let since = performance.now()
console.log("| calls | calls/s | heap MiB | external MiB | RSS MiB | clients that left |")
console.log("| ---: | ---: | ---: | ---: | ---: | ---: |")
for (let calls = EVERY; calls <= wanted; calls += EVERY) {
  await load.until(calls)
  const perSecond = Math.round(EVERY / ((performance.now() - since) / 1000))
  await globalThis.gc({ type: "major", execution: "async" })
  const { heapUsed, external, rss } = process.memoryUsage()
  heaps.push(heapUsed / MiB)
  const sizes = [heapUsed, external, rss].map(bytes => (bytes / MiB).toFixed(2))
  console.log(`| ${[calls, perSecond, ...sizes, load.left].join(" | ")} |`)
  since = performance.now()
}
const { underWay, waiting } = load.client.stats()
const running = load.servers.map(server => server.stats().running)
console.log(
  `left: ${underWay} under way, ${waiting} waiting, ${running.join(" and ")} running; ${load.cut} calls were cut off by a client that left`,
)
const slope = slopeOf(heaps.slice(Math.floor(heaps.length / WARM_UP))) * (100_000 / EVERY)
const isFlat = slope < FLAT
console.log(`heap: ${slope.toFixed(3)} MiB for each 100,000 calls after warm-up: ${isFlat ? "flat" : "it grows"}`)
await load.stop()
if (!isFlat) process.exitCode = 1

/** Of the line that fits best (least squares), for each step. */
function slopeOf(values: readonly number[]): number {
  const mean = (of: readonly number[]) => of.reduce((sum, one) => sum + one, 0) / of.length
  const [x, y] = [(values.length - 1) / 2, mean(values)]
  const covariance = values.reduce((sum, value, at) => sum + (at - x) * (value - y), 0)
  return covariance / values.reduce((sum, _, at) => sum + (at - x) ** 2, 0)
}

/** Round trips, one after the other, each timed by itself; the median and the 99th percentile of a run. */

import type { Stream } from "./loops.js"
import type { Report } from "./reports.js"

type Latency = Extract<Report, { type: "latency" }>

/** Runs `trip` for each sequence number and times those after the warm-up. */
export async function roundTrips(
  { warm, timed }: Stream,
  trip: (sequence: number) => Promise<unknown>,
): Promise<Latency> {
  const micros = new Float64Array(timed)
  for (let sequence = 0; sequence < warm; sequence++) await trip(sequence)
  const started = performance.now()
  for (let i = 0; i < timed; i++) {
    const sent = performance.now()
    await trip(warm + i)
    micros[i] = (performance.now() - sent) * 1000
  }
  const seconds = (performance.now() - started) / 1000
  micros.sort()
  const at = (part: number): number => micros[Math.floor(timed * part)]!
  return { type: "latency", p50: at(0.5), p99: at(0.99), messages: timed, seconds }
}

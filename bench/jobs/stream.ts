/** One run: producers in processes of their own, one consumer in another, and the time from the first send to the last end. */

import { together } from "../processes.js"
import type { JobPlan, Variant } from "./plan.js"
import type { ConsumerTask, ProducerTask } from "./tasks.js"

const producer = new URL("./peers/producer.js", import.meta.url)
const consumer = new URL("./peers/consumer.js", import.meta.url)
const limitMs = 120_000
/** Jobs that a consumer has in hand: the worker's concurrency, or what a broker may send without an ack. */
const CONCURRENCY = 256

export interface Load {
  readonly senders: number
  /** Of each sender. */
  readonly inFlight: number
  /** Between two sends, in ms. */
  readonly rest: number
}

export interface Streamed {
  readonly perSecond: number
  /** With a rest between sends: from send to handler, in microseconds. */
  readonly p50: number
  readonly p99: number
}

export function stream(plan: JobPlan, variant: Variant, load: Load, jobs: number): Promise<Streamed> {
  const { senders, inFlight, rest } = load
  const timed = Math.ceil(jobs / senders)
  const warm = Math.ceil(timed / 4)
  const latency = rest > 0
  const { profile } = plan
  const execArgv =
    profile !== undefined && variant.engine === "peerlane" ? ["--cpu-prof", `--cpu-prof-dir=${profile}`] : []
  return variant.withQueues(senders, queues =>
    together(limitMs, async processes => {
      const producers = queues.map((queue, at) => {
        const task: ProducerTask = {
          queue,
          first: at * (warm + timed),
          warm,
          timed,
          inFlight,
          bulk: variant.bulk,
          rest,
        }
        return processes.fork(producer, task, execArgv)
      })
      const addresses: string[] = []
      for (const peer of producers) addresses.push((await peer.expect("bound")).endpoint)
      const task: ConsumerTask = {
        queue: queues[0]!,
        addresses,
        concurrency: CONCURRENCY,
        senders,
        warm,
        timed,
        latency,
      }
      const worker = processes.fork(consumer, task, execArgv)
      await worker.expect("ready")
      for (const peer of producers) peer.order("go")
      const begun: number[] = []
      for (const peer of producers) begun.push((await peer.expect("began")).at)
      const { jobs: handled, at } = await worker.expect("handled")
      const delays = latency ? await worker.expect("delays") : { p50: Number.NaN, p99: Number.NaN }
      for (const peer of producers) await peer.expect("ready")
      await Promise.all([worker, ...producers].map(peer => peer.stop()))
      const seconds = (at - Math.min(...begun)) / 1e6
      return { perSecond: handled / seconds, p50: delays.p50, p99: delays.p99 }
    }),
  )
}

/** One run: producers in processes of their own, one consumer in another, and the time from the first send to the last end. */

import { cpuOf } from "../cpu.js"
import { together } from "../processes.js"
import type { JobEngine, JobQueue } from "./driver.js"
import type { JobPlan, Variant } from "./plan.js"
import type { ConsumerTask, ProducerTask } from "./tasks.js"

const producer = new URL("./peers/producer.js", import.meta.url)
const consumer = new URL("./peers/consumer.js", import.meta.url)
const limitMs = 120_000
/** Handlers at a time, or what a broker may send without an ack. BullMQ was slower with 16, 32, 128, 256 and 1,024. */
const concurrency: Record<JobEngine, number> = { peerlane: 256, bullmq: 64, rabbitmq: 256 }

export interface Load {
  readonly senders: number
  /** Of each sender. */
  readonly inFlight: number
  /** Between two sends, in ms. */
  readonly rest: number
}

export interface Streamed {
  readonly perSecond: number
  /** Of all processes, the server's included; in microseconds a job. */
  readonly cpu: number
  /** With a rest between sends: from send to handler, in microseconds. */
  readonly p50: number
  readonly p99: number
}

export function stream(plan: JobPlan, variant: Variant, load: Load, jobs: number): Promise<Streamed> {
  const { senders, inFlight, rest } = load
  const timed = Math.ceil(jobs / senders)
  const warm = Math.ceil(timed / 2)
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
        concurrency: concurrency[variant.engine],
        senders,
        warm,
        timed,
        latency,
      }
      const worker = processes.fork(consumer, task, execArgv)
      await worker.expect("ready")
      const server = serverCpu(queues[0]!)
      for (const peer of producers) peer.order("go")
      const begun: number[] = []
      for (const peer of producers) begun.push((await peer.expect("began")).at)
      const { jobs: handled, at } = await worker.expect("handled")
      let cpu = serverCpu(queues[0]!) - server
      for (const peer of producers) await peer.expect("ready")
      await Promise.all([worker, ...producers].map(peer => peer.stop()))
      for (const peer of [worker, ...producers]) cpu += (await peer.expect("spent")).cpu
      const seconds = (at - Math.min(...begun)) / 1e6
      const delays = latency ? await worker.expect("delays") : { p50: Number.NaN, p99: Number.NaN }
      return { perSecond: handled / seconds, cpu: cpu / handled, p50: delays.p50, p99: delays.p99 }
    }),
  )
}

/** Of the server that holds the queue; 0: there is none. */
function serverCpu(queue: JobQueue): number {
  return queue.engine === "peerlane" ? 0 : cpuOf(queue.pid)
}

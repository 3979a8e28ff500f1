/** BullMQ on Redis, over ioredis. */

import { Queue, Worker } from "bullmq"
import type { BullQueue, Handler, Job, Receiver, Sender } from "../driver.js"

export async function openSender({ port, name }: BullQueue): Promise<Sender> {
  const queue = new Queue<Job>(name, {
    connection: { host: "127.0.0.1", port },
    // As its guide to production has it, and the fastest: what is done leaves nothing behind.
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
  })
  await queue.waitUntilReady()
  return {
    address: "",
    async send(job) {
      await queue.add("job", job)
    },
    async sendAll(jobs) {
      await queue.addBulk(jobs.map(data => ({ name: "job", data })))
    },
    close: () => queue.close(),
  }
}

export async function openReceiver(
  { port, name }: BullQueue,
  concurrency: number,
  handler: Handler,
): Promise<Receiver> {
  let handled = 0
  let completed = 0
  let wake: () => void = () => {}
  const worker = new Worker<Job>(
    name,
    async ({ data }) => {
      handled++
      handler(data)
    },
    { connection: { host: "127.0.0.1", port, maxRetriesPerRequest: null }, concurrency },
  )
  worker.on("error", error => console.error(error))
  // Comes when Redis has answered that the job is out of the queue.
  worker.on("completed", () => {
    completed++
    wake()
  })
  await worker.waitUntilReady()
  return {
    async settled() {
      while (completed < handled) await new Promise<void>(resolve => (wake = resolve))
    },
  }
}

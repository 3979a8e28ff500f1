/** The driver of each engine; only the one that a process uses is loaded. */

import type { Handler, JobQueue, Receiver, Sender } from "../driver.js"

export async function openSender(queue: JobQueue): Promise<Sender> {
  switch (queue.engine) {
    case "peerlane":
      return (await import("./peerlane.js")).openSender(queue)
    case "bullmq":
      return (await import("./bullmq.js")).openSender(queue)
    case "rabbitmq":
      return (await import("./rabbitmq.js")).openSender(queue)
  }
}

export async function openReceiver(
  queue: JobQueue,
  addresses: readonly string[],
  concurrency: number,
  handler: Handler,
): Promise<Receiver> {
  switch (queue.engine) {
    case "peerlane":
      return (await import("./peerlane.js")).openReceiver(addresses, concurrency, handler)
    case "bullmq":
      return (await import("./bullmq.js")).openReceiver(queue, concurrency, handler)
    case "rabbitmq":
      return (await import("./rabbitmq.js")).openReceiver(queue, concurrency, handler)
  }
}

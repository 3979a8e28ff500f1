/** Peerlane's pipeline, as a user of the package has it. */

import { Consumer, Producer } from "peerlane/pipeline"
import type { Handler, Job, PeerlaneQueue, Receiver, Sender } from "../driver.js"

export async function openSender({ folder, maxJobs }: PeerlaneQueue): Promise<Sender> {
  const producer = new Producer<Job>({ bind: "tcp://127.0.0.1:*", store: folder ?? undefined, maxJobs })
  await producer.ready()
  return {
    address: producer.lastEndpoint!,
    async send(job) {
      await producer.send(job)
    },
    close: () => producer.close(),
  }
}

export async function openReceiver(
  addresses: readonly string[],
  concurrency: number,
  handler: Handler,
): Promise<Receiver> {
  const consumer = new Consumer<Job>({ connect: addresses })
  void consumer.run(handler, { concurrency })
  return {
    async settled() {
      await consumer.drain()
      consumer.resume()
    },
  }
}

/** RabbitMQ over amqplib: one channel a process, acks one by one. */

import { type Channel, type ConfirmChannel, connect } from "amqplib"
import type { Handler, Job, RabbitQueue, Receiver, Sender } from "../driver.js"

/** Half of what is in flight: while the broker answers for one half, the other is on its way. */
const HALF = 128

const open = (port: number) => connect(`amqp://guest:guest@127.0.0.1:${port}`, { noDelay: true })

async function declare(channel: Channel, { name, kind }: RabbitQueue): Promise<void> {
  await channel.assertQueue(name, {
    durable: kind !== "transient",
    arguments: kind === "quorum" ? { "x-queue-type": "quorum" } : {},
  })
}

export async function openSender(queue: RabbitQueue): Promise<Sender> {
  const connection = await open(queue.port)
  const channel = queue.confirms ? await connection.createConfirmChannel() : await connection.createChannel()
  await declare(channel, queue)
  const options = { persistent: queue.kind !== "transient" }
  const close = () => connection.close()
  const bytesOf = (job: Job) => Buffer.from(JSON.stringify(job))
  if (queue.confirms) {
    const send = (job: Job) =>
      new Promise<void>((resolve, reject) => {
        const confirmed = (error: unknown) => (error ? reject(error) : resolve())
        ;(channel as ConfirmChannel).sendToQueue(queue.name, bytesOf(job), options, confirmed)
      })
    return { address: "", send, close }
  }
  // The answer to a question comes when the broker has read all that was sent before it.
  let batch: (() => void)[] = []
  const flush = () => {
    const asked = batch
    batch = []
    void channel.checkQueue(queue.name).then(() => {
      for (const resolve of asked) resolve()
    })
  }
  const send = (job: Job) =>
    new Promise<void>(resolve => {
      channel.sendToQueue(queue.name, bytesOf(job), options)
      if (batch.push(resolve) === HALF) flush()
    })
  return { address: "", send, flush, close }
}

export async function openReceiver(queue: RabbitQueue, concurrency: number, handler: Handler): Promise<Receiver> {
  const connection = await open(queue.port)
  const channel = await connection.createChannel()
  await declare(channel, queue)
  await channel.prefetch(concurrency)
  await channel.consume(queue.name, message => {
    if (message === null) throw new Error("the broker has cancelled the consumer")
    handler(JSON.parse(message.content.toString()) as Job)
    channel.ack(message)
  })
  return {
    // AMQP confirms no ack. The answer to a question says that the broker has read those before it.
    async settled() {
      await channel.checkQueue(queue.name)
    },
  }
}

/**
 * The ventilator: reads the corpus once and PUSHes its files, pass after pass, to the workers.
 *
 * Its high-water mark is small. A worker that is busy soon has no room, `send` gives the next file to another, and
 * waits when none has room; so a slow worker gets fewer files and does not decide how long the whole takes.
 */
import { Dealer, Push } from "peerlane"
import { liveWithParent } from "./child.js"
import { readCorpusFile } from "./corpus.js"
import { decode, encode, type Order } from "./protocol.js"

liveWithParent()
const [name, controlEndpoint] = process.argv.slice(2) as [string, string]

await using files = new Push({ sendHighWaterMark: 8, linger: 0 })
await files.bind("tcp://127.0.0.1:*")

await using control = new Dealer({ routingId: name, linger: 0 })
control.connect(controlEndpoint)
await control.send(encode({ type: "hello", engine: "peerlane", endpoints: { files: files.lastEndpoint! } }))

const stopped = new AbortController()
let sending: Promise<void> | undefined
for await (const [frame] of control) {
  const order = decode<Order>(frame)
  if (order.type === "ventilate") sending = ventilate(order.paths, order.passes, order.workers)
  if (order.type === "stop") break
}
stopped.abort()
await sending

async function ventilate(paths: string[], passes: number, workers: number): Promise<void> {
  const { signal } = stopped
  const corpus = paths.map(path => ({ path, content: readCorpusFile(path) }))
  try {
    await files.ready({ peers: workers, signal })
    let index = 0
    for (let pass = 0; pass < passes; pass++) {
      for (const { path, content } of corpus) await files.send([String(index++), path, content], { signal })
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/**
 * The sink: PULLs the workers' counts and sums them up, PUBlishes how far it is, and answers queries on a REP.
 */
import { Dealer, Publisher, Pull, Reply } from "peerlane"
import { liveWithParent } from "./child.js"
import { checksumLine, combine } from "./count.js"
import { type Count, decode, encode, type Order, type Query, type Share, type Totals } from "./protocol.js"

liveWithParent()
const [name, controlEndpoint] = process.argv.slice(2) as [string, string]
const progressInterval = 100 // ms

const counts = new Pull()
const queries = new Reply({ linger: 0 })
await using progress = new Publisher({ linger: 0 })
await Promise.all([counts, progress, queries].map(socket => socket.bind("tcp://127.0.0.1:*")))

await using control = new Dealer({ routingId: name, linger: 0 })
control.connect(controlEndpoint)
const endpoints = {
  counts: counts.lastEndpoint!,
  progress: progress.lastEndpoint!,
  queries: queries.lastEndpoint!,
}
await control.send(encode({ type: "hello", engine: "peerlane", endpoints }))

const totals: Totals = { files: 0, words: 0, lines: 0, bytes: 0, checksum: "" }
const shares = new Map<string, Share>()
const lines: string[] = []

const jobs: Promise<void>[] = [answer()]
for await (const [frame] of control) {
  const order = decode<Order>(frame)
  if (order.type === "collect") {
    jobs.push(collect(order.files))
    await control.send(encode({ type: "ready" }))
  }
  if (order.type === "stop") break
}
// Closing these ends the loops over them; the sockets they still may be sending on are closed after that.
await Promise.all([counts.close(), queries.close(), ...jobs])

async function collect(expected: number): Promise<void> {
  let started = 0
  let published = performance.now()
  for await (const [frame] of counts) {
    const now = performance.now()
    started ||= now
    const seconds = (now - started) / 1000
    add(decode<Count>(frame), seconds)
    if (now - published >= progressInterval) {
      published = now
      await progress.send(["progress", encode({ files: totals.files, bytes: totals.bytes, seconds })])
    }
    if (totals.files === expected) await control.send(encode({ type: "complete" }))
  }
}

function add({ worker, index, path, words, lines: newlines, bytes, sha1 }: Count, seconds: number): void {
  totals.files++
  totals.words += words
  totals.lines += newlines
  totals.bytes += bytes
  lines[index] = checksumLine(path, sha1)
  const share = shares.get(worker) ?? { worker, files: 0, bytes: 0, seconds: 0 }
  share.files++
  share.bytes += bytes
  share.seconds = seconds
  shares.set(worker, share)
}

async function answer(): Promise<void> {
  for await (const [frame] of queries) {
    const query = decode<Query>(frame)
    await queries.send(encode(query === "totals" ? { ...totals, checksum: combine(lines) } : [...shares.values()]))
  }
}

/**
 * A worker: PULLs files, counts what is in them, PUSHes the counts to the sink.
 *
 * The same program runs on either engine. With `zeromq` as its second argument it runs on the `zeromq` package, and
 * so on libzmq in C++; nothing else changes, and the other processes cannot tell the difference.
 */
import { liveWithParent } from "./child.js"
import { countText } from "./count.js"
import { decode, encode, type Order } from "./protocol.js"

liveWithParent()
const [name, engine, controlEndpoint] = process.argv.slice(2) as [string, string, string]

/** What is used of the engine; only what both packages have. */
type Engine = Pick<typeof import("peerlane"), "Dealer" | "Pull" | "Push" | "version">
type Socket = InstanceType<Engine["Dealer" | "Pull" | "Push"]>
const zmq: Engine = engine === "zeromq" ? ((await import("zeromq")) as unknown as Engine) : await import("peerlane")

const control = new zmq.Dealer({ routingId: name, linger: 0 })
control.connect(controlEndpoint)
const spoken = engine === "zeromq" ? `zeromq (libzmq ${zmq.version})` : "peerlane"
await control.send(encode({ type: "hello", engine: spoken, endpoints: {} }))

const files = new zmq.Pull({ receiveHighWaterMark: 8 })
const counts = new zmq.Push({ linger: 0 }) // told to stop, what is still unsent is of no use to anybody
let stopped = false
for await (const [frame] of control) {
  const order = decode<Order>(frame)
  if (order.type === "work") void work(order.files, order.counts)
  if (order.type === "stop") break
}
stopped = true
await Promise.all([files, counts, control].map(socket => socket.close()))

async function work(filesEndpoint: string, countsEndpoint: string): Promise<void> {
  const connected = Promise.all([handshake(files), handshake(counts)])
  files.connect(filesEndpoint)
  counts.connect(countsEndpoint)
  await connected
  try {
    await control.send(encode({ type: "ready" }))
    for await (const [index, path, content] of files) {
      await counts.send(encode({ worker: name, index: Number(index), path: String(path), ...countText(content!) }))
    }
  } catch (error) {
    if (!stopped) throw error // once it is stopped, it is only that the sockets were closed under it
  }
}

function handshake(socket: Socket): Promise<void> {
  return new Promise(resolve => socket.events.on("handshake", () => resolve()))
}

/**
 * A peer that sends PINGs and reads nothing (37/ZMTP, heartbeating): answers for which there is no room are not piled up. The
 * last one is kept, as in libzmq, and said when the peer reads again. Reading goes on meanwhile: two peers that both stopped
 * until the other reads would wait for ever.
 */
import { expect, it } from "vitest"
import { Pull } from "../../patterns/index.js"
import type { StreamSink } from "../../src/transport/transport.js"
import { command, frame, greeting, ready } from "../support/raw-zmtp.js"
import { Simulation } from "../support/simulation.js"

/** What a session lets wait in its stream, with one chunk of answers more. */
const MOST = 256 * 1024 + 64 * 1024

class Reader implements StreamSink {
  chunks: Uint8Array[] = []
  onOpen(): void {}
  onBytes(chunk: Uint8Array): void {
    this.chunks.push(chunk)
  }
  onDrained(): void {}
  onClosed(): void {}
}

const ping = (context: string) => command("PING", Buffer.concat([Buffer.alloc(2), Buffer.from(context)]))
const name = (index: number) => String(index).padStart(16, "0")

it("of a peer that reads nothing no more than a few are answered, and the last one is", async () => {
  const sim = new Simulation()
  const pull = sim.open(Pull)
  const endpoint = await sim.bind(pull)
  const raw = sim.network.connect(endpoint.slice("sim://".length))
  const reader = new Reader()
  raw.sink = reader
  await sim.turn()
  raw.write(greeting())
  raw.write(ready("PUSH"))
  await sim.eventually(() => pull.peers().length === 1)
  raw.pause()
  const [server] = [...sim.network.streams].filter(stream => stream !== raw)
  let most = 0
  const count = 100_000
  for (let at = 0; at < count; at += 1000) {
    raw.write(Buffer.concat(Array.from({ length: 1000 }, (_, index) => ping(name(at + index)))))
    await sim.turn()
    most = Math.max(most, server!.queuedBytes)
  }
  raw.write(frame("heard"))
  expect(String((await sim.until(pull.receive()))[0])).toBe("heard")
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThan(MOST)
  raw.resume()
  await sim.eventually(() => Buffer.concat(reader.chunks).subarray(-16).toString() === name(count - 1))
  expect(Buffer.concat(reader.chunks).length).toBeLessThan(MOST + sim.network.capacity + 1000)
  raw.destroy()
})

it("each is answered while the peer reads", async () => {
  const sim = new Simulation()
  const pull = sim.open(Pull)
  const endpoint = await sim.bind(pull)
  const raw = sim.network.connect(endpoint.slice("sim://".length))
  const reader = new Reader()
  raw.sink = reader
  await sim.turn()
  raw.write(greeting())
  raw.write(ready("PUSH"))
  const pong = command("PONG", name(0)).length
  for (let at = 0; at < 200; at++) {
    raw.write(Buffer.concat(Array.from({ length: 100 }, (_, index) => ping(name(at * 100 + index)))))
    await sim.turn()
  }
  await sim.eventually(() => Buffer.concat(reader.chunks).length >= 20_000 * pong)
  raw.destroy()
})

/**
 * The contract of a transport (src/transport/transport.ts) as tests: one call of {@link transportSuite} holds a transport
 * to it. What is particular to one scheme, its addresses above all, stands in files of its own.
 */
import { createHash } from "node:crypto"
import type { Socket } from "node:net"
import { describe, expect, it, onTestFinished } from "vitest"
import type { Transport } from "../../src/transport/transport.js"
import { eventually, pause } from "../support/eventually.js"
import { addressOf, dial, hear, meet, OPTIONS, Recorder } from "./recorder.js"

export interface TransportFacts {
  readonly transport: Transport
  /** A fresh address to listen at. */
  address(): string
  /** An endpoint where nobody listens. */
  nowhere(): Promise<string>
  /** The codes with which connecting there may fail. */
  readonly refusals: readonly string[]
  /** What binding to an address that is taken does. */
  readonly bindTwice: "EADDRINUSE" | "takes over"
  /** A connection made by node:net alone, where there is such a thing. It does not end its side when the peer does. */
  raw?(endpoint: string): Socket
}

const MIB = 1024 * 1024

/** Bytes that differ from each other and from chunk to chunk. */
function pattern(size: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(size)
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + seed) & 0xff
  return bytes
}

export function transportSuite(name: string, facts: TransportFacts): void {
  const { transport, raw } = facts
  const meeting = () => meet(transport, facts.address())

  describe(`${name}: connecting`, () => {
    it("tells both ends that they are open, and who they are", async () => {
      const { client, server, listener } = await meeting()
      expect(listener.endpoint).toMatch(new RegExp(`^${transport.scheme}://`))
      expect(client.stream.remote).toBe(listener.endpoint)
      expect(server.stream.local).toBe(listener.endpoint)
      expect(client.closed).toBeUndefined()
      expect(server.closed).toBeUndefined()
    })

    it("reports a refusal as the end of the stream, once and never as an exception", async () => {
      const client = dial(transport, await facts.nowhere())
      expect(client.closed).toBeUndefined()
      await eventually(() => client.closed !== undefined)
      expect(facts.refusals).toContain(client.closed?.code)
      expect(client.opened).toBe(false)
    })

    it("tells nothing of a dial that was cancelled at once, and goes on for others", async () => {
      const { listener, accepted } = await hear(transport, facts.address())
      const cancelled = dial(transport, listener.endpoint)
      cancelled.destroy()
      const other = dial(transport, listener.endpoint)
      other.onOpen = () => other.write("here")
      await eventually(() => accepted.some(stream => stream.text === "here"))
      expect(cancelled.opened).toBe(false)
    })

    it("tells nothing of a dial to nobody that was cancelled", async () => {
      const endpoint = await facts.nowhere()
      const cancelled = dial(transport, endpoint)
      cancelled.destroy()
      const other = dial(transport, endpoint)
      await eventually(() => other.closed !== undefined)
      await pause(20)
      expect(cancelled.closed).toBeUndefined()
    })

    it("may be destroyed in the moment in which it opens", async () => {
      const { listener, accepted } = await hear(transport, facts.address())
      const client = dial(transport, listener.endpoint)
      client.onOpen = () => client.destroy()
      await eventually(() => accepted[0]?.closed !== undefined)
      expect(accepted[0]!.size).toBe(0)
    })

    it("takes a thousand connects at once", async () => {
      const count = 1000
      const { listener, accepted } = await hear(transport, facts.address())
      const clients: Recorder[] = []
      for (let i = 0; i < count; i++) {
        const client = dial(transport, listener.endpoint)
        client.onOpen = () => client.write(`${i}`)
        clients.push(client)
      }
      await eventually(() => accepted.length === count && accepted.every(({ size }) => size > 0), 15_000)
      expect(new Set(accepted.map(({ text }) => text)).size).toBe(count)
      for (const client of clients) client.destroy()
      await eventually(() => accepted.every(({ closed }) => closed === null), 15_000)
    })
  })

  describe(`${name}: listening`, () => {
    it(`a second listener at an address: ${facts.bindTwice}`, async () => {
      const first = await hear(transport, facts.address())
      const address = addressOf(first.listener.endpoint)
      if (facts.bindTwice === "EADDRINUSE") {
        await expect(hear(transport, address)).rejects.toMatchObject({ code: "EADDRINUSE" })
        const client = dial(transport, first.listener.endpoint)
        await eventually(() => client.opened && first.accepted.length === 1)
        return
      }
      const second = await hear(transport, address)
      const client = dial(transport, second.listener.endpoint)
      await eventually(() => client.opened && second.accepted.length === 1)
      expect(first.accepted).toEqual([])
    })

    it("closing refuses new connections, keeps those it has, and may be repeated", async () => {
      const { client, server, listener } = await meeting()
      listener.close()
      listener.close()
      const late = dial(transport, listener.endpoint)
      await eventually(() => late.closed !== undefined)
      expect(late.opened).toBe(false)
      client.write("still")
      server.write("here")
      await eventually(() => server.text === "still" && client.text === "here")
    })

    it("the address is free as soon as it is closed", async () => {
      const { listener, client } = await meeting()
      listener.close()
      const again = await hear(transport, addressOf(listener.endpoint))
      expect(again.listener.endpoint).toBe(listener.endpoint)
      const second = dial(transport, again.listener.endpoint)
      await eventually(() => second.opened && again.accepted.length === 1)
      expect(client.closed).toBeUndefined()
    })
  })

  describe(`${name}: bytes`, () => {
    it("arrive whole and in order, both ways at once", async () => {
      const { client, server } = await meeting()
      let up = ""
      let down = ""
      for (let i = 0; i < 500; i++) {
        up += `up ${i},`
        down += `down ${i},`
        client.write(`up ${i},`)
        server.write(`down ${i},`)
      }
      await eventually(() => server.size === up.length && client.size === down.length)
      expect(server.text).toBe(up)
      expect(client.text).toBe(down)
    })

    it("wait while corked, and leave in order after", async () => {
      const { client, server } = await meeting()
      client.stream.cork()
      for (const part of ["one,", "two,", "three"]) client.write(part)
      server.write("ping")
      await eventually(() => client.text === "ping")
      expect(server.size).toBe(0)
      client.stream.uncork()
      await eventually(() => server.text === "one,two,three")
    })

    it("are the receiver's: what came stays as it was, whatever comes or is transferred later", async () => {
      const { client, server } = await meeting()
      client.write("first")
      await eventually(() => server.text === "first")
      client.stream.write(pattern(MIB, 1))
      await eventually(() => server.size === MIB + 5)
      try {
        structuredClone(null, { transfer: [server.chunks[0]!.buffer as ArrayBuffer] })
      } catch (error) {
        expect(error).toHaveProperty("name", "DataCloneError")
      }
      expect(Buffer.from(server.chunks[0]!).toString()).toBe("first")
    })

    it("of 64 MiB wait for a reader that pauses: queuedBytes says how many, onDrained that none is left", async () => {
      const { client, server } = await meeting()
      server.keeps = false
      server.stream.pause()
      const expected = createHash("sha1")
      for (let i = 0; i < 64; i++) {
        const chunk = pattern(MIB, i)
        expected.update(chunk)
        client.stream.write(chunk)
      }
      await pause(50)
      expect(client.stream.queuedBytes).toBeGreaterThan(32 * MIB)
      expect(client.drained).toBe(0)
      expect(server.size).toBe(0)
      server.stream.resume()
      await eventually(() => server.size === 64 * MIB, 15_000)
      expect(server.digest()).toBe(expected.digest("hex"))
      await eventually(() => client.drained > 0)
      expect(client.stream.queuedBytes).toBe(0)
    })

    it("of 64 MiB in one write arrive", async () => {
      const { client, server } = await meeting()
      server.keeps = false
      const bytes = pattern(64 * MIB, 5)
      client.stream.write(bytes)
      await eventually(() => server.size === bytes.length, 15_000)
      expect(server.digest()).toBe(createHash("sha1").update(bytes).digest("hex"))
      await eventually(() => client.stream.queuedBytes === 0 && client.drained > 0)
    })

    it("that are queued are always followed by onDrained, whatever their sizes", async () => {
      const { client, server } = await meeting()
      server.keeps = false
      let sent = 0
      for (let i = 0; i < 40; i++) {
        const size = (i * 7919 * 131) % (2 * MIB)
        const before = client.drained
        client.stream.write(pattern(size, i))
        sent += size
        if (client.stream.queuedBytes > 0) await eventually(() => client.drained > before)
        expect(client.stream.queuedBytes).toBe(0)
      }
      await eventually(() => server.size === sent)
    })
  })

  describe(`${name}: pause and resume`, () => {
    it("nothing is told between them, everything is after", async () => {
      const { client, server } = await meeting()
      client.write("a")
      await eventually(() => server.text === "a")
      server.stream.pause()
      client.write("b")
      server.write("ping")
      await eventually(() => client.text === "ping")
      await pause(20)
      expect(server.text).toBe("a")
      server.stream.resume()
      await eventually(() => server.text === "ab")
    })

    it("from within onBytes, a chunk at a time", async () => {
      const { client, server } = await meeting()
      const bytes = pattern(4 * MIB, 3)
      let paused = 0
      server.onChunk = () => {
        server.stream.pause()
        const told = server.chunks.length
        setImmediate(() => {
          expect(server.chunks.length).toBe(told)
          server.stream.resume()
        })
        paused++
      }
      client.stream.write(bytes)
      await eventually(() => server.size === bytes.length)
      expect(paused).toBe(server.chunks.length)
      expect(Buffer.concat(server.chunks).equals(bytes)).toBe(true)
    })

    it("what came before the peer left is told before its leaving", async () => {
      const { client, server } = await meeting()
      server.stream.pause()
      const bytes = pattern(100_000, 9)
      client.stream.write(bytes)
      client.stream.end(() => {})
      await pause(30)
      expect(server.closed).toBeUndefined()
      server.stream.resume()
      await eventually(() => server.closed === null)
      expect(Buffer.concat(server.chunks).equals(bytes)).toBe(true)
    })
  })

  describe(`${name}: ending`, () => {
    it("end delivers everything that was written, calls back once, then closes", async () => {
      const { client, server } = await meeting()
      server.keeps = false
      server.stream.pause()
      const bytes = pattern(8 * MIB, 2)
      let done = 0
      client.stream.write(bytes)
      client.stream.end(() => done++)
      client.stream.end(() => done++)
      await pause(20)
      expect(done).toBe(0)
      server.stream.resume()
      await eventually(() => server.closed === null && done > 0)
      expect(server.digest()).toBe(createHash("sha1").update(bytes).digest("hex"))
      await pause(20)
      expect(done).toBe(1)
    })

    it("end waits for a reader that takes its time", async () => {
      const { client, server } = await meeting()
      server.keeps = false
      server.stream.pause()
      client.stream.write(pattern(16 * MIB, 2))
      let done = false
      client.stream.end(() => {
        done = true
      })
      // Longer than any patience that is meant for a peer which does not close its side.
      await pause(2500)
      expect(done).toBe(false)
      server.stream.resume()
      await eventually(() => server.closed !== undefined && done)
      expect(server.size).toBe(16 * MIB)
      expect(server.closed).toBeNull()
    })

    it("end throws away what still comes, and loses nothing of what was sent by that", async () => {
      const { client, server } = await meeting()
      server.keeps = false
      server.stream.write(pattern(8 * MIB, 1))
      const bytes = pattern(2 * MIB, 4)
      const before = client.size
      client.stream.write(bytes)
      let done = 0
      client.stream.end(() => done++)
      await eventually(() => server.closed !== undefined && done === 1)
      expect(server.size).toBe(bytes.length)
      expect(client.size).toBe(before)
    })

    it("end calls back when the peer vanishes meanwhile, and when the stream is destroyed meanwhile", async () => {
      for (const how of ["peer", "self"] as const) {
        const { client, server } = await meeting()
        server.stream.pause()
        let done = 0
        client.stream.write(pattern(16 * MIB, 1))
        client.stream.end(() => done++)
        if (how === "peer") server.destroy()
        else client.stream.destroy()
        await eventually(() => done === 1)
      }
    })

    it("destroy may be repeated; the peer is told once", async () => {
      const { client, server } = await meeting()
      client.destroy()
      client.destroy()
      await eventually(() => server.closed !== undefined)
      expect(server.closed).toBeNull()
      await pause(20)
      expect(client.closed).toBeUndefined()
    })

    it("nothing is told after destroy, though bytes are under way and queued", async () => {
      const { client, server } = await meeting()
      server.onChunk = () => server.destroy()
      client.stream.write(pattern(8 * MIB, 1))
      await eventually(() => client.closed !== undefined)
      await pause(20)
      expect(server.chunks).toHaveLength(1)
    })

    it("a peer that closes in the middle of something is told as bytes and an end", async () => {
      const { client, server } = await meeting()
      client.write("\xff\0\0\0\0\0\0\0\x01\x7f")
      client.destroy()
      await eventually(() => server.closed !== undefined)
      expect(server.closed).toBeNull()
      expect(server.text).toBe("\xff\0\0\0\0\0\0\0\x01\x7f")
    })

    it("a peer that closes with bytes of ours unread is told as an error", async () => {
      const { client, server } = await meeting()
      server.stream.pause()
      client.stream.write(pattern(8 * MIB, 1))
      await pause(20)
      server.destroy()
      await eventually(() => client.closed !== undefined)
      expect(["ECONNRESET", "EPIPE"]).toContain(client.closed?.code)
    })
  })

  if (raw !== undefined) {
    /** A stream that was accepted, and the node:net socket at its other end. */
    const rawMeeting = async () => {
      const { listener, accepted } = await hear(transport, facts.address())
      const socket = raw(listener.endpoint)
      onTestFinished(() => void socket.destroy())
      await eventually(() => accepted[0]?.opened)
      return { socket, server: accepted[0]! }
    }

    describe(`${name}: against node:net`, () => {
      it("a peer that ends its side only is gone, after what it said", async () => {
        const { socket, server } = await rawMeeting()
        const over = new Promise(resolve => socket.once("end", resolve))
        socket.resume()
        socket.end("bye")
        await eventually(() => server.closed !== undefined)
        expect(server.text).toBe("bye")
        expect(server.closed).toBeNull()
        await over
      })

      it.each([
        ["is silent", 1500],
        ["talks on for ever", 20],
      ])("a peer that never ends its side and %s is left some time after our end", async (_, interval) => {
        const { socket, server } = await rawMeeting()
        let done = 0
        let left = false
        socket.on("error", () => {}).once("close", () => {
          left = true
        })
        socket.resume()
        server.write("last words")
        server.stream.end(() => done++)
        await eventually(() => done === 1 && socket.bytesRead === 10)
        // That nobody is there shows when something is written to it.
        const talk = setInterval(() => socket.write("?"), interval)
        onTestFinished(() => clearInterval(talk))
        await eventually(() => left, 10_000)
        expect(done).toBe(1)
      })
    })
  }
}


/** The contract of a transport, continued: what is written, what comes, and holding it up. */
import { createHash } from "node:crypto"
import { describe, expect, it } from "vitest"
import { eventually, pause } from "../support/eventually.js"
import { MIB, meet, pattern } from "./recorder.js"
import type { TransportFacts } from "./suite.js"

export function bytesSuite(name: string, { transport, address }: TransportFacts): void {
  const meeting = () => meet(transport, address())

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
}

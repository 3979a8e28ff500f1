/** The contract of a transport, continued: how streams end, by either side, in order or not. */
import { createHash } from "node:crypto"
import { describe, expect, it, onTestFinished } from "vitest"
import { eventually, pause } from "../support/eventually.js"
import { hear, MIB, meet, pattern } from "./recorder.js"
import type { TransportFacts } from "./suite.js"

export function endingSuite(name: string, { transport, address, raw, inMemory, mayReset }: TransportFacts): void {
  const meeting = () => meet(transport, address())

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
      expect(done).toBe(inMemory ? 1 : 0)
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
      expect(done).toBe(inMemory ?? false)
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
      if (!mayReset) expect(server.closed).toBeNull()
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
      if (inMemory) expect(client.closed).toBeNull()
      else expect(["ECONNRESET", "EPIPE"]).toContain(client.closed?.code)
    })
  })

  if (raw !== undefined) {
    /** A stream that was accepted, and the node:net socket at its other end. */
    const rawMeeting = async () => {
      const { listener, accepted } = await hear(transport, address())
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
    })
  }
}

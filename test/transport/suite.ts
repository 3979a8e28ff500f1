/**
 * The contract of a transport (src/transport/transport.ts) as tests: one call of {@link transportSuite} holds a transport
 * to it. Connecting and listening stand here, the rest in the two files beside this one; what is particular to one scheme,
 * its addresses above all, in files of its own.
 */
import type { Socket } from "node:net"
import { describe, expect, it } from "vitest"
import type { Transport } from "../../src/transport/transport.js"
import { eventually, pause } from "../support/eventually.js"
import { bytesSuite } from "./bytes-suite.js"
import { endingSuite } from "./ending-suite.js"
import { addressOf, dial, hear, meet, type Recorder } from "./recorder.js"

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
  /** What is written is with the other end at once, in the memory of one process: nothing is left to wait for, or to reset. */
  readonly inMemory?: true
  /** What a stream says by itself at first may be unread when it is destroyed, which resets it: tickets of TLS. */
  readonly mayReset?: true
  /** A connection made by node:net alone, where there is such a thing. It does not end its side when the peer does. */
  raw?(endpoint: string): Socket
}

/** Calls when a stream opens, after that was written down. */
function onOpened(recorder: Recorder, call: () => void): void {
  const { onOpen } = recorder
  recorder.onOpen = () => {
    onOpen.call(recorder)
    call()
  }
}

export function transportSuite(name: string, facts: TransportFacts): void {
  const { transport, mayReset = false } = facts
  const meeting = () => meet(transport, facts.address())

  describe(`${name}: connecting`, () => {
    it("tells both ends that they are open, and who they are", async () => {
      const { client, server, listener } = await meeting()
      expect(listener.endpoint.startsWith(`${transport.scheme}://`)).toBe(true)
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
      onOpened(other, () => other.write("here"))
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
      onOpened(client, () => client.destroy())
      await eventually(() => accepted[0]?.closed !== undefined)
      expect(accepted[0]!.size).toBe(0)
    })

    it("takes a thousand connects at once", async () => {
      const count = 1000
      const { listener, accepted } = await hear(transport, facts.address())
      const clients: Recorder[] = []
      for (let i = 0; i < count; i++) {
        const client = dial(transport, listener.endpoint)
        onOpened(client, () => client.write(`${i}`))
        clients.push(client)
      }
      await eventually(() => accepted.length === count && accepted.every(({ size }) => size > 0), 15_000)
      expect(new Set(accepted.map(({ text }) => text)).size).toBe(count)
      for (const client of clients) client.destroy()
      await eventually(
        () => accepted.every(({ closed }) => closed === null || (mayReset && closed?.code === "ECONNRESET")),
        15_000,
      )
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

  bytesSuite(name, facts)
  endingSuite(name, facts)
}

/**
 * A bound ROUTER under attack, with a witness: a raw DEALER that has shaken hands before the attack and exchanges a
 * message with the ROUTER after it. A newcomer does the same, so both the old and the new connections are seen to work.
 */

import { expect, onTestFinished } from "vitest"
import type { Router } from "../../patterns/index.js"
import { zmq } from "../support/engine.js"
import { message, RawPeer } from "../support/raw-zmtp.js"
import { Watch } from "../support/watch.js"

export interface ServedRouter {
  router: Router
  endpoint: string
  /** The ROUTER's events, from after the handshake of the witness on. */
  watch: Watch
  /** Fails unless the ROUTER still serves the witness and takes newcomers, and has nothing else to deliver. */
  serves(): Promise<void>
}

export async function servedRouter(options: Record<string, unknown> = {}): Promise<ServedRouter> {
  const router = new zmq.Router({ linger: 0, receiveTimeout: 10_000, ...options })
  onTestFinished(() => router.close())
  const watch = new Watch(router)
  await router.bind("tcp://127.0.0.1:*")
  const endpoint = router.lastEndpoint!
  let newcomers = 0

  const exchange = async (peer: RawPeer, name: string) => {
    peer.send(message(`hello from ${name}`))
    const received = await router.receive()
    expect(received.map(String)).toEqual([name, `hello from ${name}`])
    await router.send([name, `hello to ${name}`])
    expect((await peer.readMessage()).map(String)).toEqual([`hello to ${name}`])
  }

  const join = async (name: string) => {
    const peer = await RawPeer.connect(endpoint)
    await peer.handshake("DEALER", name)
    await exchange(peer, name)
    return peer
  }

  const witness = await join("witness")
  await watch.next("handshake")
  return {
    router,
    endpoint,
    watch,
    async serves() {
      await exchange(witness, "witness")
      const newcomer = await join(`newcomer ${newcomers++}`)
      newcomer.destroy()
    },
  }
}

/**
 * The inbound queue of a connecting socket outlives its connections, and so does its mark: a peer that comes back again
 * and again, each time with a message right behind its READY, does not get more into a full queue.
 */
import { expect, it } from "vitest"
import { Pull } from "../../patterns/index.js"
import { eventually, pause } from "../support/eventually.js"
import { frame, greeting, rawServer, ready } from "../support/raw-zmtp.js"

it("receiveHighWaterMark holds across reconnects", async () => {
  let connections = 0
  const endpoint = await rawServer(peer => {
    peer.send(greeting(), ready("PUSH"), frame(`message ${connections++}`))
    peer.socket.end()
  })
  await using pull = new Pull({ receiveHighWaterMark: 2, reconnectInterval: 10 })
  pull.connect(endpoint)
  await eventually(() => connections >= 3)
  await pause(300)
  expect(pull.stats().queuedIn).toBe(2)
  for (let n = 0; n < 6; n++) expect(String(await pull.receive())).toBe(`message ${n}`)
})

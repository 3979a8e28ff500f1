/**
 * Large messages, up to 16 MiB, alone and in multipart messages, with the engine under test on either side. The bytes
 * are compared by their SHA-256.
 */

import { describe, it } from "vitest"
import { usePeer } from "../support/peer.js"
import type { Message } from "./ends.js"
import { libzmqPeers, meet, sidesOf } from "./meeting.js"
import { pairs } from "./pairs.js"

const MiB = 1024 * 1024

const messages: Message[] = [
  [{ size: MiB, seed: "a" }],
  [{ size: MiB, seed: "b" }, "", { size: 255, seed: "c" }, { size: MiB + 1, seed: "d" }],
  [{ size: 16 * MiB, seed: "e" }],
  ["after"],
]

const chosen = new Set(["PUSH PULL", "PUB SUB", "REQ REP", "DEALER ROUTER", "PAIR PAIR"])
const large = pairs.filter(({ left, right }) => chosen.has(`${left} ${right}`))

for (const { kind, missing } of libzmqPeers) {
  describe.skipIf(missing !== null)(`with ${kind}`, () => {
    const peer = usePeer(kind)
    for (const scheme of ["tcp", "ipc"] as const) {
      for (const pair of large) {
        for (const ours of sidesOf(pair)) {
          const binder = ours === "left" ? "ours" : "theirs"
          const types = ours === "left" ? [pair.left, pair.right] : [pair.right, pair.left]
          it(`${types[0]} here, ${types[1]} there, to 16 MiB (${scheme})`, () =>
            meet(pair, { peer: peer(), ours, binder, scheme, messages }))
        }
      }
    }
  })
}

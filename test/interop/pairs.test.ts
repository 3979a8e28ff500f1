/**
 * Every compatible pair of socket types, with the engine under test on either side, binding on either side, over tcp
 * and ipc, against libzmq in another process. The messages: empty frames, several frames, and the sizes around each
 * change of the frame header.
 */

import { describe, it } from "vitest"
import { usePeer } from "../support/peer.js"
import type { Message } from "./ends.js"
import { libzmqPeers, meet, sidesOf } from "./meeting.js"
import { pairs } from "./pairs.js"

const messages: Message[] = [
  [""],
  ["x"],
  ["", "", ""],
  ["head", "", "tail"],
  [{ size: 255, seed: 1 }],
  [{ size: 256, seed: 2 }],
  [{ size: 255, seed: 3 }, { size: 256, seed: 4 }, "", { size: 257, seed: 5 }],
  [{ size: 65_535, seed: 6 }],
  [{ size: 65_536, seed: 7 }, "after"],
  Array.from({ length: 300 }, (_, index) => String(index)),
  ["last"],
]

for (const { kind, missing } of libzmqPeers) {
  describe.skipIf(missing !== null)(`with ${kind}`, () => {
    const peer = usePeer(kind)
    for (const scheme of ["tcp", "ipc"] as const) {
      for (const binder of ["ours", "theirs"] as const) {
        for (const pair of pairs) {
          const where = `${scheme}, ${binder === "ours" ? "we bind" : "it binds"}`
          for (const ours of sidesOf(pair)) {
            const types = ours === "left" ? [pair.left, pair.right] : [pair.right, pair.left]
            it(`${types[0]} here, ${types[1]} there (${where})`, () =>
              meet(pair, { peer: peer(), ours, binder, scheme, messages }))
          }
        }
      }
    }
  })
}

/**
 * Every compatible pair of socket types over inproc between two threads of one process, with either of them binding.
 * The one here runs on the sources, the other on the build, as the threads of a user do.
 */
import { describe, it } from "vitest"
import { engine } from "../support/engine.js"
import { useThread } from "../support/peer.js"
import type { Message } from "./ends.js"
import { meet, sidesOf } from "./meeting.js"
import { pairs } from "./pairs.js"

const messages: Message[] = [
  [""],
  ["x"],
  ["head", "", "tail"],
  [
    { size: 255, seed: 1 },
    { size: 256, seed: 2 },
  ],
  [{ size: 65_536, seed: 3 }, "after"],
  [{ size: 3_000_000, seed: 4 }],
  Array.from({ length: 300 }, (_, index) => String(index)),
  ["last"],
]

describe("inproc between threads", () => {
  const peer = useThread(engine)
  for (const binder of ["ours", "theirs"] as const) {
    for (const pair of pairs) {
      for (const ours of sidesOf(pair)) {
        const types = ours === "left" ? [pair.left, pair.right] : [pair.right, pair.left]
        it(`${types[0]} here, ${types[1]} there (${binder === "ours" ? "we bind" : "it binds"})`, () =>
          meet(pair, { peer: peer(), ours, binder, scheme: "inproc", messages }))
      }
    }
  }
})

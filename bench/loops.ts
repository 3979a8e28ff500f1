/**
 * The loops that are measured, each written once: `zeromq` and Peerlane run the very same code. The clock is the
 * reader's: it starts with the last of the messages that only warm up, and stops with the last one.
 */

import { type Bodies, checkBody } from "./bodies.js"
import type { Receiver, Sender } from "./engine.js"
import type { Loop } from "./reports.js"

export interface Stream {
  size: number
  warm: number
  timed: number
}

/** Sends `total` messages. */
export async function pushAll(socket: Sender, loop: Loop, bodies: Bodies, total: number): Promise<void> {
  if (loop === "await") {
    for (let sequence = 0; sequence < total; sequence++) await socket.send(bodies(sequence))
    return
  }
  for (let sequence = 0; sequence < total; sequence++) {
    const body = bodies(sequence)
    if (!socket.trySend!(body)) await socket.send(body)
  }
}

/** Receives and checks the whole stream; returns the seconds that its timed part took. */
export async function pullAll(socket: Receiver, loop: Loop, { size, warm, timed }: Stream): Promise<number> {
  const total = warm + timed
  let sequence = 0
  let started = 0
  if (loop === "await") {
    for await (const [frame] of socket) {
      checkBody(frame, sequence, size)
      if (++sequence === warm) started = performance.now()
      if (sequence === total) break
    }
  } else {
    for await (const batch of socket.batches!()) {
      for (const [frame] of batch) {
        checkBody(frame, sequence, size)
        if (++sequence === warm) started = performance.now()
      }
      if (sequence === total) break
    }
  }
  if (sequence !== total) throw new Error(`the stream ended after ${sequence} of ${total} messages`)
  return (performance.now() - started) / 1000
}

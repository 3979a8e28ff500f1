/** The way between two machines, or from a machine to itself: what is wrong with it at present, and the connections on it. */
import type { Pipe } from "./pipe.js"

export class Lane {
  /** Nothing passes before. */
  closedUntil = 0
  closedSince = 0
  /** Milliseconds that each message takes longer, until then. */
  delay = 0
  slowUntil = 0
  /** What is delivered is remembered, to come again after the next reconnect. */
  repeats = false
  /** The connecting ends of the connections. */
  readonly pipes = new Set<Pipe>()
}

/** The engines that typed patterns run on, and who may meet whom. */
import * as zeromq from "zeromq"
import * as peerlane from "../../patterns/index.js"
import type { Sockets } from "../../patterns/typed/sockets.js"

export type Engine = "peerlane" | "zeromq"

export const engines: Record<Engine, Sockets> = { peerlane, zeromq }

export const pairs: readonly (readonly [Engine, Engine])[] = [
  ["peerlane", "peerlane"],
  ["zeromq", "zeromq"],
  ["peerlane", "zeromq"],
  ["zeromq", "peerlane"],
]

/**
 * Chooses the engine under test. The specs are written against libzmq and run on both: on Peerlane by default, and on
 * the `zeromq` package (libzmq 4.3.5) with PEERLANE_TEST_ENGINE=zeromq, which shows that a test asks for what libzmq does.
 */
type Engine = typeof import("zeromq")

/** Any socket of the engine under test. */
export type AnySocket = Engine["Socket"]["prototype"]

export const engine = process.env.PEERLANE_TEST_ENGINE === "zeromq" ? "zeromq" : "peerlane"

const peerlane = "../../patterns/index.js"

async function load(): Promise<Engine> {
  if (engine === "zeromq") return import("zeromq")
  return import(/* @vite-ignore */ peerlane)
}

export const zmq: Engine = await load()

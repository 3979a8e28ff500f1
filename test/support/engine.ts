/**
 * Chooses the engine under test. The specs are written against libzmq and run on both: on Peerlane by default, and on
 * the `zeromq` package (libzmq 4.3.5) with PEERLANE_TEST_ENGINE=zeromq, which shows that a test asks for what libzmq does.
 * Both have Peerlane's types; what only Peerlane has is tested in the `additions-*` files.
 */
type Engine = typeof import("../../patterns/index.js")
type Draft = typeof import("../../patterns/draft/index.js")

/** Any socket of the engine under test. */
export type AnySocket = Engine["Socket"]["prototype"]

export const engine = process.env.PEERLANE_TEST_ENGINE === "zeromq" ? "zeromq" : "peerlane"

async function load(): Promise<Engine> {
  if (engine === "peerlane") return import("../../patterns/index.js")
  return (await import("zeromq")) as unknown as Engine
}

export const zmq: Engine = await load()

/** The draft types of the engine under test; of `Peer` and `Channel` zeromq has none. */
export const draft: Draft =
  engine === "peerlane"
    ? await import("../../patterns/draft/index.js")
    : ((await import("zeromq/draft.js")) as unknown as Draft)

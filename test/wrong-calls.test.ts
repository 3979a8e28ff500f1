/**
 * Wrong calls: every method of every class of `zeromq`, with the same arguments, on both packages, open and closed. What
 * comes back, what is thrown, at once or by a promise, and with which code must be the same, but for the reviewed list.
 */
import { expect, it } from "vitest"
import * as theirs from "zeromq"
import * as theirDraft from "zeromq/draft.js"
import * as ourDraft from "../patterns/draft/index.js"
import * as ours from "../patterns/index.js"

const CLASSES = [
  "Dealer",
  "Pair",
  "Publisher",
  "Pull",
  "Push",
  "Reply",
  "Request",
  "Router",
  "Stream",
  "Subscriber",
  "XPublisher",
  "XSubscriber",
  "Server",
  "Client",
  "Radio",
  "Dish",
  "Scatter",
  "Gather",
  "Datagram",
] as const

const METHODS = ["bind", "bindSync", "unbind", "connect", "disconnect", "send", "subscribe", "unsubscribe"] as const

const ARGUMENTS: [string, unknown[]][] = [
  ["", []],
  ["undefined", [undefined]],
  ["null", [null]],
  ["5", [5]],
  ["true", [true]],
  ["{}", [{}]],
  ["[]", [[]]],
  ["[undefined]", [[undefined]]],
  ['["a", {}]', [["a", {}]]],
  ["a symbol", [Symbol("x")]],
  ["a function", [() => {}]],
  ["a date", [new Date(0)]],
  ["bytes", [Buffer.from("a")]],
  ...["", "nonsense", "tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:x", "tcp://127.0.0.1:99999"].map(
    (text): [string, unknown[]] => [`"${text}"`, [text]],
  ),
  ...["ipc:///no/such/folder/x", "inproc://", "ipc://", "udp://127.0.0.1:5", "udp://*", "foo://x"].map(
    (text): [string, unknown[]] => [`"${text}"`, [text]],
  ),
]

const OPTIONS: unknown[] = [5, "x", null, [], { linger: "x" }, { noSuchOption: 1 }, { context: 5 }]

/** Where it may differ, and why. */
const REVIEWED: [pattern: RegExp, reason: string][] = [
  [/\("tcp:\/\/127\.0\.0\.1:99999"\)/, "libzmq takes a port modulo 65,536; that is nobody's intention"],
  [/^(Pull|Subscriber|Dish|Gather)\.send/, "its native class has a send for all types, which for these waits for ever"],
  [
    /^Datagram\.(bind|bindSync|unbind|connect|disconnect)\("(tcp|ipc):/,
    "it has udp only; libzmq lets it have other endpoints, by which nothing comes",
  ],
  [/^Datagram\.send/, "what can never be sent is EINVAL before anything is bound; libzmq looks at its endpoint first"],
  [/^XPublisher\.(un)?subscribe/, "ours only, for manual mode"],
  [/^new .*\{"context":5\}/, "a TypeError that says what was expected, for an Error of its native binding"],
  [/\.send\(a symbol\) closed/, "what it is to send is looked at before the socket is"],
]

type Module = Record<string, new (options?: unknown) => Record<string, unknown>>

function named(error: unknown): string {
  // An error with a code is a class of ours, of which the name does not matter.
  return (error as { code?: string }).code ?? (error as Error).constructor.name
}

/** How a call ends. A promise that is not settled in the same turn, or soon after, waits. */
async function outcome(call: () => unknown): Promise<string> {
  try {
    const result = call()
    if (!(result instanceof Promise)) return "returns"
    const waits = new Promise<string>(resolve => setTimeout(resolve, 100, "waits"))
    return await Promise.race([
      waits,
      result.then(
        () => "resolves",
        error => `rejects ${named(error)}`,
      ),
    ])
  } catch (error) {
    return `throws ${named(error)}`
  }
}

async function outcomes(engine: Module): Promise<Map<string, string>> {
  const all = new Map<string, string>()
  for (const name of CLASSES) {
    const Class = engine[name]!
    for (const options of OPTIONS) {
      all.set(
        `new ${name}(${JSON.stringify(options)})`,
        await outcome(() => void (new Class(options).close as () => void)()),
      )
    }
    for (const method of METHODS) {
      for (const [shown, parameters] of ARGUMENTS) {
        for (const closed of [false, true]) {
          const socket = new Class({ linger: 0 }) as Record<string, (...all: unknown[]) => unknown>
          if ("sendTimeout" in socket) Object.assign(socket, { sendTimeout: 0 })
          if (closed) socket.close!()
          const call = () => {
            if (typeof socket[method] !== "function") throw new ReferenceError("no such method")
            return socket[method](...parameters)
          }
          all.set(`${name}.${method}(${shown})${closed ? " closed" : ""}`, await outcome(call))
          if (!closed) socket.close!()
        }
      }
    }
  }
  return all
}

it("end as they do with zeromq", async () => {
  const own = await outcomes({ ...ours, ...ourDraft } as unknown as Module)
  const native = await outcomes({ ...theirs, ...theirDraft } as unknown as Module)
  const different: string[] = []
  const met = new Set<RegExp>()
  for (const [call, ending] of native) {
    const pattern = REVIEWED.find(([each]) => each.test(call))?.[0]
    if (own.get(call) === ending) continue
    if (pattern === undefined) different.push(`${call}: zeromq ${ending}, ours ${own.get(call)}`)
    else met.add(pattern)
  }
  expect(different).toEqual([])
  // A reason that nothing needs any more goes.
  expect(REVIEWED.filter(([pattern]) => !met.has(pattern))).toEqual([])
  expect(native.size).toBeGreaterThan(3000)
}, 120_000)

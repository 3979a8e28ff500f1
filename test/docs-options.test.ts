/**
 * docs/options.md is the table of src/options.ts in Markdown. This renders it and compares; after a change of the table,
 * `UPDATE_DOCS=1 npx vitest run test/docs-options.test.ts` writes it anew.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"
import { OPTIONS, type OptionRow } from "../src/options.js"
import type { SocketTypeName } from "../src/wire/socket-types.js"

const page = fileURLToPath(new URL("../docs/options.md", import.meta.url))

const CLASSES: Record<SocketTypeName, string> = {
  PUSH: "Push",
  PULL: "Pull",
  PUB: "Publisher",
  SUB: "Subscriber",
  XPUB: "XPublisher",
  XSUB: "XSubscriber",
  REQ: "Request",
  REP: "Reply",
  DEALER: "Dealer",
  ROUTER: "Router",
  STREAM: "Stream",
  PAIR: "Pair",
  SERVER: "Server",
  CLIENT: "Client",
  RADIO: "Radio",
  DISH: "Dish",
  SCATTER: "Scatter",
  GATHER: "Gather",
  PEER: "Peer",
  CHANNEL: "Channel",
  DGRAM: "Datagram",
}

const HEAD = `# Options of sockets

Every option is a property of the sockets that have it, and can be given to the constructor:

\`\`\`ts
const push = new Push({ sendHighWaterMark: 100 })
push.linger = 500
\`\`\`

Names, defaults and ranges are those of the \`zeromq\` package, where it has them. A value of the wrong type is a \`TypeError\`, one
out of range a \`ZmqError\` with the code \`EINVAL\`; neither changes anything. An option of another type of socket is a \`TypeError\`
when set, and \`undefined\` when read. Times are in milliseconds unless the text says otherwise.

- **Takes effect** *now*: on what is bound and connected already. *Later*: on what is bound and connected from then on.
- **Kind** *works*: does what it says. *Stored only*: is checked, kept and read back, and has no other effect, as it cannot be
  honoured without native code or belongs to a transport that is not spoken. *Refused*: not there and dangerous to ignore, so
  any value but the default is \`ENOTSUP\`.

\`XPublisher\` also has \`verbosity\` (\`null\`, \`"allSubs"\` or \`"allSubsUnsubs"\`; write only; takes effect now): which repeated
subscriptions the application hears of. \`Publisher\`, \`XPublisher\`, \`Subscriber\` and \`XSubscriber\` have \`topicsCount\` (read only): the number
of different topics that are subscribed to (ZMQ_TOPICS_COUNT).

This page is made from \`src/options.ts\`.
`

const COLUMNS = ["Option", "Type", "Default", "Range", "Sockets", "Takes effect", "Kind", "What it does"]

/** Largest values that are no limit of the option's own. */
const UNLIMITED = [2147483647, Number.MAX_SAFE_INTEGER]

function render(): string {
  const lines = [COLUMNS, COLUMNS.map(() => "---")]
  for (const [name, row] of Object.entries(OPTIONS) as [string, OptionRow][]) {
    lines.push([
      `\`${name}\`${row.access === "w" ? " (write only)" : ""}`,
      row.type === "string" ? "string or Buffer" : row.type,
      name === "linger" ? "-1 (0 for Subscriber, XSubscriber, Dish)" : String(row.default),
      rangeOf(name, row),
      socketsOf(row),
      row.stored || row.refused ? "" : row.live ? "now" : "later",
      row.stored ? "stored only" : row.refused ? "refused" : "works",
      row.doc,
    ])
  }
  return `${HEAD}\n${lines.map(cells => `| ${cells.map(cell => cell.replaceAll("|", "\\|")).join(" | ")} |`).join("\n")}\n`
}

function rangeOf(name: string, { type, min, max, longest, list, key, filled }: OptionRow): string {
  if (key) return "a key"
  if (name === "routingId") return "1 to 255 bytes"
  if (type === "boolean") return "true, false"
  if (list !== undefined) return `one or more, with ${list === "\n" ? "newlines" : "commas"} between; null`
  if (longest !== undefined) return `${filled ? "1 to" : "up to"} ${longest} bytes, null`
  if (type === "string") return "any, null"
  return UNLIMITED.includes(max!) ? `${min} or more` : `${min} to ${max}`
}

function socketsOf({ on }: OptionRow): string {
  const types = Object.keys(CLASSES) as SocketTypeName[]
  const names = (chosen: SocketTypeName[]) => chosen.map(type => CLASSES[type]).join(", ")
  if (on === undefined) return "all"
  const others = types.filter(type => !on.includes(type))
  return others.length < on.length ? `all but ${names(others)}` : names(types.filter(type => on.includes(type)))
}

it("docs/options.md says what the table says", () => {
  const text = render()
  if (process.env.UPDATE_DOCS === "1") writeFileSync(page, text)
  expect(readFileSync(page, "utf8"), "UPDATE_DOCS=1 npx vitest run test/docs-options.test.ts").toBe(text)
})

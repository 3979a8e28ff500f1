/**
 * docs/limits.md is made here: what a socket is protected by, its defaults from src/options.ts, a row for each limit that an
 * error can name. `UPDATE_DOCS=1 npx vitest run test/docs-limits.test.ts` writes it anew.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"
import type { LimitName } from "../src/errors.js"
import { OPTIONS } from "../src/options.js"

const page = fileURLToPath(new URL("../docs/limits.md", import.meta.url))

interface Limit {
  readonly what: string
  /** When it is not that of the option. */
  readonly byDefault?: string
  readonly libzmq: string
  readonly beyond: string
  /** When it is not `stats().refused` by the limit's name. */
  readonly counter?: string
  readonly event: string
}

const LIBZMQ_NONE = "none"
const CLOSED = "closed before a byte is sent"
const BROKEN = "the connection ends"
const BY_DISCONNECT = "`disconnect`, its `error` an ERR_ZMTP_UNSPECIFIED; in a handshake `handshake:error:protocol`"

const LIMITS: Record<LimitName | "receiveHighWaterMark" | "receiveHighWaterMarkBytes", Limit> = {
  tcpAcceptFilter: {
    what: "addresses that may connect",
    byDefault: "all",
    libzmq: "the same",
    beyond: CLOSED,
    event: "`accept:error` EAGAIN",
  },
  maxPeers: {
    what: "peers that came by the bound endpoints, their handshake done",
    libzmq: LIBZMQ_NONE,
    beyond: `${CLOSED}; of those that shake hands already, one ends when it is done`,
    event: "`accept:error` EMFILE; `handshake:error:other` EMFILE",
  },
  maxPeersPerAddress: {
    what: "connections of one address, shaking hands or done; over ipc all have one",
    byDefault: "none",
    libzmq: LIBZMQ_NONE,
    beyond: CLOSED,
    event: "`accept:error` EMFILE",
  },
  maxHandshakes: {
    what: "connections that came and still shake hands",
    libzmq: LIBZMQ_NONE,
    beyond: "the oldest of them ends, the new one stays",
    event: "`handshake:error:other` EMFILE, of the oldest",
  },
  handshakeInterval: {
    what: "milliseconds for greeting and handshake",
    libzmq: "30000",
    beyond: BROKEN,
    event: "`handshake:error:other` ETIMEDOUT",
  },
  handshakeSize: {
    what: "bytes in one frame of a handshake (fixed; less where `maxMessageSize` is less)",
    byDefault: "131072",
    libzmq: LIBZMQ_NONE,
    beyond: BROKEN,
    event: "`handshake:error:protocol` ERR_ZMTP_UNSPECIFIED",
  },
  accept: {
    what: "your function `accept(peer)`: asked when the handshake is done, before the socket uses the peer",
    byDefault: "all come in",
    libzmq: "not there",
    beyond: BROKEN,
    event: "`handshake:error:other` ECONNREFUSED",
  },
  identities: {
    what: "routing ids that a user may have, by `identities` of a `Router`: looked at when the handshake is done",
    byDefault: "all",
    libzmq: "not there",
    beyond: BROKEN,
    event: "`disconnect`, its `error` an `AuthError`",
  },
  maxMessageSize: {
    what: "bytes in one frame",
    byDefault: "none (-1); 2^53 in any case",
    libzmq: "none (-1)",
    beyond: `${BROKEN}, at the declaration`,
    event: BY_DISCONNECT,
  },
  maxFrames: {
    what: "frames in one message",
    libzmq: LIBZMQ_NONE,
    beyond: BROKEN,
    event: BY_DISCONNECT,
  },
  receiveHighWaterMark: {
    what: "messages of one peer that wait to be received",
    libzmq: "1000",
    beyond: "its connection is read no further until half of them are taken",
    counter: "`queuedIn` of `stats()` and of `peer.stats()`",
    event: "none: nothing is lost",
  },
  receiveHighWaterMarkBytes: {
    what: "bytes of one peer that wait to be received, and 96 for each frame of a message of more than 16",
    byDefault: "64 MiB (-1); none on inproc",
    libzmq: LIBZMQ_NONE,
    beyond: "its connection is read no further; a larger message passes alone, and takes memory only as its bytes come",
    counter: "`queuedIn` of `stats()` and of `peer.stats()`",
    event: "none: nothing is lost",
  },
  maxSubscriptions: {
    what: "different topics that one peer subscribed to at a `Publisher` or `XPublisher`, groups that it joined at a `Radio`",
    libzmq: LIBZMQ_NONE,
    beyond: BROKEN,
    event: "`disconnect`, its `error` an ERR_ZMTP_UNSPECIFIED",
  },
  maxSubscriptionBytes: {
    what: "bytes in all of these",
    byDefault: "64 MiB",
    libzmq: LIBZMQ_NONE,
    beyond: BROKEN,
    event: "`disconnect`, its `error` an ERR_ZMTP_UNSPECIFIED",
  },
}

const HEAD = `# Limits

What one peer, or all together, may have of a socket, and what happens beyond it. Where libzmq has a limit, the default is
libzmq's. Where it has none, there is one here, far above what a peer needs that means no harm. Each is an option of the socket
([options](options.md)) unless the table says otherwise; 0 is no limit, for \`maxMessageSize\` it is -1.

\`\`\`ts
const router = new Router({ maxPeers: 10_000, maxPeersPerAddress: 20, maxMessageSize: 1_000_000 })
router.accept = peer => peer.metadata.has("X-tenant")
router.events.on("disconnect", ({ address, error }) => {
  if (error?.limit !== undefined) console.log(address, "went beyond", error.limit)
})
await router.bind("tcp://*:5555")
setInterval(() => console.log(router.stats().refused), 60_000) // { total: 3, maxFrames: 2, accept: 1 }
\`\`\`

The error of an event names the limit: \`error.limit\`. Who is ended by a limit is counted in \`stats().refused\`, in total and by its
name, whether anybody listens to events or not. Over inproc there are no events, and no limits on who comes: whoever is in the
process could do worse.
`

const TAIL = `
\`peer.disconnect()\` ends a connection by hand; it is no refusal, and not counted as one.

What has no number of its own:

- **PING.** Each is answered. Of those whose answers the peer does not read, as soon as 256 KiB wait for it, only the last one is, as
  libzmq does. Reading goes on: two peers that each waited for the other to read would never go on.
- **Subscribing and cancelling** again and again leaves nothing behind. A subscription costs a publisher 300 bytes of memory and its
  topic; when its peer leaves, that comes back.
- **A frame that is still arriving** has at most 1 MiB, or as much again as has come of it. A declared length costs nothing.
- **What an \`XPublisher\` keeps** for a program that never receives from it is bounded by \`receiveHighWaterMark\` and the mark in bytes, for
  all peers together; the rest is dropped and counted (\`dropped.full\`).
- **Events** that nobody reads: the first 1,000 stay.
- **Commands** that mean nothing to a socket are left out as they come.
`

const COLUMNS = ["Limit", "On", "Default", "libzmq's default", "Beyond it", "Counter", "Event"]

function render(): string {
  const rows = (Object.entries(LIMITS) as [keyof typeof LIMITS, Limit][]).map(([name, limit]) => [
    `\`${name}\``,
    limit.what,
    limit.byDefault ?? defaultOf(name),
    limit.libzmq,
    limit.beyond,
    limit.counter ?? `\`refused.${name}\``,
    limit.event,
  ])
  const lines = [COLUMNS, COLUMNS.map(() => "---"), ...rows]
  return `${HEAD}\n${lines.map(cells => `| ${cells.join(" | ")} |`).join("\n")}\n${TAIL}`
}

function defaultOf(name: string): string {
  if (name in OPTIONS) return String(OPTIONS[name as keyof typeof OPTIONS].default)
  throw new Error(`${name} is no option, and says no default`)
}

it("docs/limits.md says what the limits are", () => {
  const text = render()
  if (process.env.UPDATE_DOCS === "1") writeFileSync(page, text)
  expect(readFileSync(page, "utf8"), "UPDATE_DOCS=1 npx vitest run test/docs-limits.test.ts").toBe(text)
})

it("defaults that the page puts in words are those of the table of options", () => {
  const { maxPeersPerAddress, maxMessageSize, receiveHighWaterMarkBytes, maxSubscriptionBytes } = OPTIONS
  expect([maxPeersPerAddress, maxMessageSize, receiveHighWaterMarkBytes, maxSubscriptionBytes]).toMatchObject([
    { default: 0 },
    { default: -1 },
    { default: -1 },
    { default: 64 * 1024 * 1024 },
  ])
})

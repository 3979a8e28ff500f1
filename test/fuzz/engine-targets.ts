/**
 * Targets that feed an engine with what a peer may send: greeting, frames, READY, each mechanism on either side, CURVE after its
 * handshake, and peers of ZMTP 1.0 and 2.0. Their seeds are what our own engines send in good conversations.
 */
import { AuthError, ProtocolError, ZmqError } from "../../src/errors.js"
import { curveClient } from "../../src/wire/curve-client.js"
import { curveServer } from "../../src/wire/curve-server.js"
import type { EngineOptions } from "../../src/wire/engine.js"
import type { Answer, Ask } from "../../src/wire/mechanism.js"
import { askingNullMechanism } from "../../src/wire/null.js"
import { plainClient, plainServer } from "../../src/wire/plain.js"
import { concat, End, engineOptions } from "../support/link.js"
import { clientKeys, fixedBoxes, serverKeys } from "./fixed-boxes.js"
import type { Target } from "./harness.js"
import { check, Random } from "./random.js"

const KiB = 1024
const MiB = 1024 * KiB
const text = (value: string) => new TextEncoder().encode(value)

const YES: Answer = { status: 200, userId: text("user"), metadata: new Map() }

/** Lets the credentials of the seeds in. What else it says depends on what it was asked, as does whether it answers at once. */
function asking(later: (() => void)[]): Ask {
  return ({ credentials }, answer) => {
    const sum = credentials.reduce((sum, bytes) => bytes.reduce((sum, byte) => sum + byte, sum), 0)
    const refusals: Answer[] = ([300, 400, 500] as const).map(status => ({ ...YES, status }))
    const said = sum % 7 === 3 ? refusals[sum % 3]! : YES
    if (sum % 2 === 0) answer(said, 0)
    else later.push(() => answer(said, 0))
  }
}

/** One side of a conversation: how its engine is made, anew for each input. */
interface Side {
  options(): EngineOptions
  readonly asks?: true
}

function start({ options, asks }: Side, later: (() => void)[]): End {
  const end = new End(options(), asks ? asking(later) : null)
  end.engine.start(0)
  return end
}

/** What the second side sends to the first one when all goes well, with some messages behind the handshake; in the pieces that it was sent in. */
function captured(near: Side, far: Side): Uint8Array[] {
  const later: (() => void)[] = []
  const [a, b] = [start(near, later), start(far, later)]
  const sent: Uint8Array[] = []
  const exchange = () => {
    for (let quiet = 0; quiet < 2; ) {
      const [toB, toA] = [a.output(), b.output()]
      // A copy: a box is opened where it is.
      if (toA.length > 0) sent.push(toA.slice())
      if (toB.length > 0) b.receive(toB)
      if (toA.length > 0) a.receive(toA)
      for (const answer of later.splice(0)) answer()
      quiet = toA.length + toB.length === 0 ? quiet + 1 : 0
    }
  }
  exchange()
  check(a.peer !== null && b.peer !== null, `the seeds of a target do not shake hands: ${a.events} / ${b.events}`)
  for (const message of [[text("one")], [text("two"), new Uint8Array(300)], [new Uint8Array(0)]])
    b.engine.encode(message)
  exchange()
  check(a.messages.length === 3, "the seeds of a target do not arrive")
  return sent
}

/** Gives the input to an engine in pieces that the input itself decides, and checks what must hold after each. */
function feed(end: End, input: Uint8Array, later: (() => void)[]): string {
  const random = new Random(input.reduce((hash, byte) => (Math.imul(hash, 31) + byte) | 0, input.length))
  const longest = random.pick([1, 7, 100, 1000, 100_000])
  const { engine } = end
  const allocated = end.bytes.allocated
  let now = 0
  let said = 0
  let calls = 0
  for (let at = 0; at < input.length; ) {
    const chunk = input.slice(at, at + 1 + random.below(longest))
    at += chunk.length
    for (let taken = 0; taken < chunk.length; calls++) {
      end.reluctant = random.once(3)
      const next = engine.receive(chunk, taken, now)
      check(next > taken && next <= chunk.length, `it went from ${taken} to ${next} of ${chunk.length}`)
      taken = next
    }
    if (later.length > 0 && random.once(2)) later.shift()!()
    now += random.pick([0, 0, 1, 500])
    if (end.faults.length === 0 && engine.nextTimeout() <= now) engine.handleTimeout(now)
    said += end.output().length
    check(engine.pendingBytes >= 0 && engine.pendingBytes <= at, `${engine.pendingBytes} pending of ${at} bytes`)
    // A frame gets 64 KiB at once or 16 times what came of it, 1 MiB at most; beyond, its buffer doubles. Opened boxes are copies.
    const bound = Math.min(64 * KiB + 24 * at, MiB + 8 * at)
    const taken = end.bytes.allocated - allocated
    check(taken <= bound, `${taken} bytes allocated for ${at} that came`)
  }
  for (const answer of later.splice(0)) answer()
  said += end.output().length
  check(calls <= 2 * input.length, `${calls} calls for ${input.length} bytes`)
  check(said <= 2 * KiB + 12 * input.length, `${said} bytes said for ${input.length}`)
  return outcome(end)
}

function outcome(end: End): string {
  check(end.faults.length <= 1, `${end.faults.length} faults`)
  const fault = end.faults[0]
  if (fault === undefined) return end.peer === null ? "waits" : "serves"
  check(/^fault /.test(end.events.at(-1)!), `${end.events.at(-1)} after the fault`)
  if (fault instanceof AuthError) return `refused ${fault.status}`
  const ours = fault instanceof ProtocolError || (fault instanceof ZmqError && fault.code === "ETIMEDOUT")
  check(ours, `a fault that is ${(fault as Error).constructor.name}: ${(fault as Error).stack}`)
  return fault.code
}

/** Any stream from its first byte on, or with `from` from that piece of the good conversation on. */
function target(name: string, near: Side, fars: Side[], from = 0): Target {
  const conversations = () => fars.map(far => captured(near, far))
  return {
    name,
    invariant:
      "nothing is thrown, one fault at most, memory and answers in proportion to what came, and each call gets on, whatever a peer sends",
    seeds: () => conversations().map(pieces => concat(pieces.slice(from))),
    run(input) {
      const later: (() => void)[] = []
      const end = start(near, later)
      if (from > 0) {
        // Both sides are made as for the seeds, so that the same bytes open the same boxes.
        for (const piece of captured(near, fars[0]!).slice(0, from)) {
          end.receive(piece)
          for (const answer of later.splice(0)) answer()
        }
        end.output()
      }
      return feed(end, input, later)
    },
  }
}

const side = (type: Parameters<typeof engineOptions>[0], changes: Partial<EngineOptions> = {}): Side => ({
  options: () => engineOptions(type, changes),
})
const asked = (near: Side): Side => ({ ...near, asks: true })

const limits = { maxMessageSize: 10_000, maxFrames: 50 }
const plainUser = side("PUSH", { mechanism: plainClient(text("user"), text("password")) })
const plainHost = asked(side("PULL", { mechanism: plainServer, ...limits }))
const curveUser: Side = {
  options: () =>
    engineOptions("DEALER", { mechanism: curveClient(fixedBoxes(2), clientKeys, serverKeys.publicKey), ...limits }),
}
const curveHost: Side = {
  asks: true,
  options: () => engineOptions("ROUTER", { mechanism: curveServer(fixedBoxes(20), serverKeys.secretKey), ...limits }),
}

/** The pieces of a CURVE client's handshake: greeting (in two or one), HELLO, INITIATE. */
const curveHandshake = (near: Side, far: Side) => captured(near, far).length - 1

/** Needs the boxes: call it behind `loadBoxes`. */
export function engineTargets(): Target[] {
  return [
    target("null", side("ROUTER"), [side("DEALER", { routingId: text("me"), metadata: "X-name:value" }), side("REQ")]),
    target("frames", side("PULL"), [side("PUSH")], captured(side("PULL"), side("PUSH")).length - 1),
    target("frames-limited", side("PULL", limits), [side("PUSH")], captured(side("PULL"), side("PUSH")).length - 1),
    target("null-asked", asked(side("PULL", { mechanism: askingNullMechanism })), [side("PUSH")]),
    target("plain-server", plainHost, [plainUser]),
    target("plain-client", plainUserReading, [plainHostWriting]),
    target("curve-server", curveHost, [curveUser]),
    target("curve-client", curveUser, [curveHostTalking]),
    target("curve-messages", curveHost, [curveUser], curveHandshake(curveHost, curveUser)),
    target("curve-messages-client", curveUser, [curveHostTalking], curveHandshake(curveUser, curveHostTalking)),
    oldPeers,
  ]
}

const plainUserReading = side("PULL", { mechanism: plainClient(text("user"), text("password")) })
const plainHostWriting = asked(side("PUSH", { mechanism: plainServer }))
/** Sends to whoever it is connected with, as a ROUTER's engine does not know of identities. */
const curveHostTalking: Side = curveHost

/** ZMTP 1.0 (identity, then frames) and 2.0 (10 bytes of signature, version, type, identity). */
const oldPeers: Target = {
  name: "old-peers",
  invariant: "what holds for a peer of ZMTP 3 holds for one of 1.0 and 2.0",
  seeds: () =>
    [
      "04006d6521" + "0400616263" + "020161" + "020062",
      "ff00000000000000017f" + "0105" + "00026d65" + "000161" + "010162000163",
    ].map(hex => new Uint8Array(Buffer.from(hex, "hex"))),
  run: input => feed(start(side("PULL", limits), []), input, []),
}

/**
 * Whatever bytes a peer sends, in whatever pieces: the engine throws nothing, ends with at most one fault, which is a
 * ProtocolError or a ZmqError with a code, gets on with every call, answers in proportion, and takes memory in proportion
 * to what came, not to what was declared. And the split law holds for rubbish, too.
 */
import { expect, it } from "vitest"
import { AuthError, ProtocolError, ZmqError } from "../../src/errors.js"
import { PEERS, type SocketTypeName } from "../../src/wire/socket-types.js"
import { concat, End, engineOptions, toHex } from "../support/link.js"
import { command, frame, greeting, header, LONG, MORE, message, property, ready } from "../support/raw-zmtp.js"
import { check, fuzz, fuzzing, isUsualRun, mutate, type Random } from "./random.js"

/** A STREAM has no peers of its own, and another engine. */
const TYPES = (Object.keys(PEERS) as SocketTypeName[]).filter(type => PEERS[type].length > 0)
const KiB = 1024
const MiB = 1024 * KiB

/** Something that a peer may say after the handshake, well formed or nearly so. */
function saying(random: Random): Uint8Array {
  const body = () => Buffer.from(random.bytes(random.pick([0, 1, 5, 64, 65, 255, 256, 300])))
  switch (random.below(10)) {
    case 0:
      return command("SUBSCRIBE", body())
    case 1:
      return command("CANCEL", body())
    case 2:
      return command("PING", random.bytes(random.below(20)) as Buffer)
    case 3:
      return command(random.pick(["PONG", "ERROR", "READY", "HELLO", "", "X".repeat(255)]), body())
    case 4:
      return frame(body(), random.below(256) & ~LONG)
    case 5:
      return header(LONG | random.below(8), BigInt(random.pick([0, 300, MiB, MiB + 1, 2 ** 32, 2 ** 52])))
    case 6:
      return frame(Buffer.concat([Buffer.of(random.below(2)), body()]))
    case 7:
      return concat(Array.from({ length: random.below(20) }, () => frame("", MORE)))
    default:
      return message(...Array.from({ length: 1 + random.below(4) }, body))
  }
}

/** A frame of ZMTP 1.0; now and then in the long form where it need not be. */
function oldFrame(random: Random): Buffer {
  const body = random.bytes(random.pick([0, 1, 5, 63, 64, 65, 253, 254, 255, 300]))
  const flags = random.once(3) ? MORE : 0
  if (body.length < 254 && !random.once(4)) return Buffer.concat([Buffer.of(body.length + 1, flags), body])
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE(BigInt(body.length + 1 + (random.once(10) ? 2 ** random.below(60) : 0)))
  return Buffer.concat([Buffer.of(0xff), length, Buffer.of(flags), body])
}

/** What a peer of ZMTP 1.0 or 2.0 sends from the first byte on. */
function oldStream(random: Random): Uint8Array {
  const version = random.pick(["", "00", "01"])
  const hello = version === "" ? [] : [greeting().subarray(0, 10), Buffer.from(`${version}05`, "hex")]
  const says = () => (version === "01" ? saying(random) : oldFrame(random))
  const identity = version === "01" ? frame(random.once(2) ? "" : "identity") : Buffer.from("04006d6521", "hex")
  const known = concat([...hello, random.once(10) ? oldFrame(random) : identity])
  const rest = concat(Array.from({ length: random.below(12) }, says))
  return random.once(2) ? concat([known, rest]) : concat([known, mutate(random, rest)])
}

/** What a peer sends from the first byte on. */
function stream(random: Random, peer: string): Uint8Array {
  if (random.once(4)) return oldStream(random)
  const good = [
    greeting({ minor: random.below(3), mechanism: random.once(20) ? "PLAIN" : "NULL" }),
    random.once(10)
      ? command("READY", Buffer.concat([property("Socket-Type", peer), property("X", Buffer.from(random.bytes(30)))]))
      : ready(peer, random.once(2) ? "" : "identity"),
    ...Array.from({ length: random.below(12) }, () => saying(random)),
  ]
  switch (random.below(8)) {
    case 0:
      return random.bytes(random.below(200))
    case 1:
      return concat([good[0]!, random.bytes(random.below(300))])
    case 2:
      return concat([good[0]!, good[1]!, random.bytes(random.below(400))])
    case 3:
      return concat(good)
    default: {
      // Mostly behind greeting and READY, or all would end there.
      const from = random.pick([0, 1, 2, 2])
      return concat([...good.slice(0, from), mutate(random, concat(good.slice(from)))])
    }
  }
}

interface Feeding {
  /** Sizes of the pieces, used in turn. */
  pieces: number[]
  /** Milliseconds between two pieces. */
  pause: number
  /** How often the reader says "no more for now". */
  reluctance: number[]
}

function feed(end: End, bytes: Uint8Array, { pieces, pause, reluctance }: Feeding): string {
  const output: Uint8Array[] = []
  const { engine } = end
  let now = 0
  engine.start(now)
  let turn = 0
  for (let at = 0; at < bytes.length; turn++) {
    const chunk = bytes.slice(at, at + pieces[turn % pieces.length]!)
    at += chunk.length
    for (let taken = 0; taken < chunk.length; ) {
      end.reluctant = reluctance[(turn + taken) % reluctance.length] === 1
      const next = engine.receive(chunk, taken, now)
      check(next > taken && next <= chunk.length, `it went from ${taken} to ${next} of ${chunk.length}`)
      taken = next
    }
    output.push(end.output())
    now += pause
    if (engine.nextTimeout() <= now) engine.handleTimeout(now)
    check(engine.pendingBytes >= 0 && engine.pendingBytes <= at, `${engine.pendingBytes} pending of ${at} bytes`)
    // A frame gets 64 KiB at once or 16 times what came of it, 1 MiB at most; beyond, its buffer doubles.
    check(
      end.bytes.allocated <= Math.min(64 * KiB + 20 * at, MiB + 4 * at),
      `${end.bytes.allocated} bytes allocated for ${at} that came`,
    )
  }
  output.push(end.output())
  return toHex(concat(output))
}

it("any stream, in any pieces", fuzzing, () => {
  let served = 0
  let refused = 0
  fuzz(10_000, random => {
    const type = random.pick(TYPES)
    const options = engineOptions(type, {
      maxMessageSize: random.pick([-1, -1, 0, 100, 300, MiB]),
      maxFrames: random.pick([65_536, 1, 3, 10]),
      heartbeatInterval: random.pick([0, 0, 20]),
      heartbeatTimeToLive: random.pick([0, 100, 1e6]),
    })
    const bytes = stream(random, random.once(10) ? random.pick(TYPES) : random.pick(PEERS[type]))
    const sizes = () => 1 + random.below(random.pick([1, 4, 100, 1000]))

    const end = new End(options)
    const output = feed(end, bytes, {
      pieces: Array.from({ length: 7 }, sizes),
      pause: random.pick([0, 0, 0, 1, 10]),
      reluctance: Array.from({ length: 7 }, () => random.below(2)),
    })

    check(end.faults.length <= 1, `${end.faults.length} faults`)
    for (const fault of end.faults) {
      if (fault instanceof AuthError) {
        check(end.events.at(-1) === `fault ${fault.status}`, `${end.events.at(-1)} after the refusal`)
        continue
      }
      check(
        fault instanceof ProtocolError || fault instanceof ZmqError,
        `a fault that is ${(fault as Error).constructor.name}`,
      )
      check(/^(ERR_ZMTP_[A-Z_]+|ETIMEDOUT)$/.test(fault.code), `a fault with the code ${fault.code}`)
      check(end.events.at(-1) === `fault ${fault.code}`, `${end.events.at(-1)} after the fault`)
    }
    const told = end.messages.reduce((sum, message) => sum + message.reduce((sum, frame) => sum + frame.length, 0), 0)
    check(told <= bytes.length, `${told} bytes were told of ${bytes.length}`)
    const pings = 9 * (1 + bytes.length) // at most one of ours after each piece
    check(output.length / 2 <= 64 + 100 + 3 * bytes.length + pings, `${output.length / 2} bytes answered`)
    if (end.faults.length > 0) refused++
    else if (end.peer !== null) served++
  })
  // Neither all rubbish nor all well formed, or the run says little.
  if (isUsualRun) expect(Math.min(served, refused)).toBeGreaterThan(1000)
})

it("any stream means the same in any pieces", fuzzing, () => {
  fuzz(8_000, random => {
    const type = random.pick(TYPES)
    const options = engineOptions(type, { maxMessageSize: random.pick([-1, 100]), maxFrames: random.pick([65_536, 3]) })
    const bytes = stream(random, random.pick(PEERS[type]))
    const [whole, cut] = [new End(options), new End(options)]
    const wholeOutput = feed(whole, bytes, { pieces: [bytes.length + 1], pause: 0, reluctance: [0] })
    const cutOutput = feed(cut, bytes, {
      pieces: Array.from({ length: 5 }, () => 1 + random.below(random.pick([1, 10, 100]))),
      pause: 0,
      reluctance: [random.below(2), random.below(2), random.below(2)],
    })
    check(cut.events.join() === whole.events.join(), `whole: ${whole.events.join()}; cut: ${cut.events.join()}`)
    if (whole.faults.length > 0) return // how much of the greeting a refused peer gets depends on the pieces
    check(cut.engine.pendingBytes === whole.engine.pendingBytes, `${cut.engine.pendingBytes} bytes pending`)
    check(cutOutput === wholeOutput, `whole: ${wholeOutput}; cut: ${cutOutput}`)
  })
})

it("a stream that declares much and sends little holds little", fuzzing, () => {
  fuzz(300, random => {
    const end = new End(engineOptions("PULL"))
    end.engine.start(0)
    end.receive(concat([greeting(), ready("PUSH")]))
    const before = end.bytes.allocated
    const size = BigInt(random.pick([MiB, 2 * MiB, 2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER]))
    end.receive(header(LONG | random.pick([0, 1, 4]), size))
    const sent = random.below(3000)
    for (let at = 0; at < sent; at += 100) end.receive(new Uint8Array(100))
    check(end.bytes.allocated - before <= 64 * KiB, `${end.bytes.allocated - before} bytes allocated for ${sent}`)
    check(end.faults.length === 0, "a fault")
  })
})

/** Targets that read something whole: properties, answers of ZAP, endpoint strings, names and values of options. */

import { OptionStore } from "../../src/core/option-access.js"
import { decodeReply } from "../../src/core/zap.js"
import { ProtocolError, ZmqError } from "../../src/errors.js"
import { OPTIONS, type OptionName } from "../../src/options.js"
import { parseEndpoint } from "../../src/transport/endpoint.js"
import { parseBinding, parseDestination } from "../../src/transport/tcp-address.js"
import { decodeProperties, encodeProperties } from "../../src/wire/command.js"
import type { Target } from "./harness.js"
import { check } from "./random.js"

const text = (value: string) => new TextEncoder().encode(value)
const PROPERTIES = encodeProperties([
  ["Socket-Type", text("DEALER")],
  ["Identity", text("me")],
  ["X-name", new Uint8Array(300)],
])

/** Calls, and gives the code of what it throws, which has to be of these classes. */
function codeOf(call: () => unknown, ...classes: (abstract new (...args: never[]) => Error)[]): string {
  try {
    call()
    return "taken"
  } catch (error) {
    if (!classes.some(known => error instanceof known)) throw error
    return (error as { code?: string }).code ?? (error as Error).name
  }
}

const metadata: Target = {
  name: "metadata",
  invariant: "any bytes are properties, none longer than the bytes, or a ProtocolError",
  seeds: () => [PROPERTIES],
  run: input =>
    codeOf(() => {
      let size = 0
      for (const [name, value] of decodeProperties(input, "ERR_ZMTP_INVALID_METADATA"))
        size += name.length + value.length
      check(size <= input.length, `${size} bytes of properties in ${input.length}`)
    }, ProtocolError),
}

/** Frames as a byte of length and a body; the last one may be short. */
function frames(input: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = []
  for (let at = 0; at < input.length; at += 1 + input[at]!) found.push(input.slice(at + 1, at + 1 + input[at]!))
  return found
}

const zap: Target = {
  name: "zap",
  invariant: "any frames are an answer of ZAP with one of four statuses, or a ProtocolError, and nothing is thrown",
  seeds: () =>
    ["200", "300", "400", "500"].map(status => {
      const properties = PROPERTIES.subarray(0, 40)
      const reply = [
        text(""),
        text("1.0"),
        text("1"),
        text(status),
        text("OK"),
        text("user"),
        encodeProperties([["A", properties]]),
      ]
      return new Uint8Array(reply.flatMap(frame => [frame.length, ...frame]))
    }),
  run(input) {
    const answer = decodeReply(frames(input))
    if (answer instanceof ProtocolError) return answer.code
    check([200, 300, 400, 500].includes(answer.status), `the status ${answer.status}`)
    return String(answer.status)
  },
}

const endpoints: Target = {
  name: "endpoints",
  invariant: "any text is an endpoint, and its address one to bind or connect to, or EINVAL",
  seeds: () =>
    [
      "tcp://127.0.0.1:5555",
      "tcp://*:*",
      "tcp://eth0:0;[::1]:80",
      "tcp://[fe80::1%eth0]:65535",
      "ipc://@name",
      "inproc://x",
    ].map(text),
  run(input) {
    const endpoint = new TextDecoder().decode(input)
    const parts = endpoint.slice(endpoint.indexOf("://") + 3)
    return [() => parseEndpoint(endpoint), () => parseBinding(parts), () => parseDestination(parts)]
      .map(call => codeOf(call, ZmqError))
      .join(" ")
  },
}

const NAMES = Object.keys(OPTIONS) as OptionName[]

const options: Target = {
  name: "options",
  invariant:
    "any value is taken by an option and leaves it valid, or is refused by TypeError, EINVAL or ENOTSUP and changes nothing",
  seeds: () => NAMES.flatMap((_, index) => [0, 1, 2, 3].map(kind => new Uint8Array([index, kind, ...text("1000")]))),
  run(input) {
    const name = NAMES[(input[0] ?? 0) % NAMES.length]!
    const body = input.slice(2)
    const words = new TextDecoder().decode(body)
    const number = body.length >= 8 ? new DataView(body.buffer).getFloat64(0) : Number(words)
    const value = [words, body, number, body.length % 2 === 0, null, undefined, [words], { words }][(input[1] ?? 0) % 8]
    const store = new OptionStore()
    const before = store.values[name]
    const code = codeOf(() => store.set(name, value), TypeError, ZmqError)
    check(["taken", "TypeError", "EINVAL", "ENOTSUP"].includes(code), `the code ${code}`)
    const after = store.values[name]
    if (code !== "taken") check(Object.is(after, before), `${name} was refused and is ${after}`)
    else if (typeof after === "number") check(!Number.isNaN(after), `${name} is ${after}`)
    return code
  },
}

export const valueTargets: readonly Target[] = [metadata, zap, endpoints, options]

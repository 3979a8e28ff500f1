/**
 * Endpoints and addresses of tcp and udp: any text is one, or is refused with a ZmqError that has a code, names the endpoint and says
 * what was expected. What is accepted has a host of the characters that libzmq takes, and a port.
 */
import { isIP } from "node:net"
import { expect, it } from "vitest"
import { ZmqError } from "../../src/errors.js"
import { parseEndpoint } from "../../src/transport/endpoint.js"
import { ipc } from "../../src/transport/ipc.js"
import { tcp } from "../../src/transport/tcp.js"
import { parseBinding, parseDestination } from "../../src/transport/tcp-address.js"
import { parsePlace, parseUdpBinding, parseUdpDestination } from "../../src/transport/udp-address.js"
import { OPTIONS } from "../transport/recorder.js"
import { check, fuzz, fuzzing, isUsualRun, type Random } from "./random.js"

const ENDPOINTS = ["tcp://127.0.0.1:5555", "tcp://*:*", "ipc://@name", "ipc:///tmp/a", "inproc://x"]
const ADDRESSES = [
  "127.0.0.1:5555",
  "*:*",
  "*:0",
  "[::1]:5555",
  "[fe80::1%eth0]:65535",
  "localhost:1",
  "eth0:*",
  "host-name.example:00080",
  "127.0.0.1:0;192.168.1.1:5555",
  "eth0;server:80",
  ";server:80",
  "*:1234;[::1]:80",
]
const UDP_ADDRESSES = [
  "127.0.0.1:5555",
  "*:*",
  "[::1]:5555",
  "host:1",
  "239.0.0.1:5555",
  "127.0.0.1;239.0.0.1:5555",
  "*;[ff02::1]:5555",
  "nosuch;239.0.0.1:1",
]
/** What endpoints are made of, and what they should not be. */
const ALPHABET = "abcXYZ0159.:;*[]%@/-_ \0\t\n\\é\u{1F600}\ud800"

function text(random: Random, from: readonly string[]): string {
  if (random.once(4)) return random.text(random.below(30), ALPHABET)
  const characters = [...random.pick(from)]
  for (let times = random.below(4); times > 0; times--) {
    const insert = random.text(random.below(3), ALPHABET)
    characters.splice(random.below(characters.length + 1), random.below(3), ...insert)
  }
  if (random.once(20)) characters.push(...random.text(200, ALPHABET))
  return characters.join("")
}

/** The value of a call, or null when it refused with one of these codes. */
function accepted<T>(call: () => T, codes: readonly string[] = ["EINVAL"]): T | null {
  try {
    return call()
  } catch (error) {
    if (!(error instanceof ZmqError)) throw error
    check(codes.includes(error.code), `the code ${error.code}`)
    check(error.message.includes("expected"), `no word of what was expected: ${error.message}`)
    check(typeof error.address === "string", "no address")
    return null
  }
}

/** Whether a check lets an address pass. */
function passes(call: () => void, codes?: readonly string[]): boolean {
  return accepted(() => [call()], codes) !== null
}

const isPort = (port: number) => Number.isInteger(port) && port >= 0 && port <= 65_535

it("any text is an endpoint, or is refused", fuzzing, () => {
  let good = 0
  fuzz(10_000, random => {
    const endpoint = text(random, ENDPOINTS)
    const parsed = accepted(() => parseEndpoint(endpoint))
    const at = endpoint.indexOf("://")
    check((parsed !== null) === (at > 0 && at + 3 < endpoint.length), `${endpoint} gave ${parsed?.address}`)
    if (parsed === null) return
    check(
      `${parsed.scheme}://${parsed.address}` === endpoint,
      `${endpoint} gave ${parsed.scheme} and ${parsed.address}`,
    )
    check(!parsed.scheme.includes("://"), `the scheme ${parsed.scheme}`)
    good++
  })
  if (isUsualRun) expect(good).toBeGreaterThan(1000)
})

it("any text is a tcp address to connect to, or is refused", fuzzing, () => {
  let good = 0
  fuzz(20_000, random => {
    const address = text(random, ADDRESSES)
    const to = accepted(() => parseDestination(address))
    check(passes(() => tcp.check(address, OPTIONS)) === (to !== null), `the transport thinks otherwise of ${address}`)
    if (to === null) return
    check(/^[A-Za-z0-9\-._:%[\]]+$/.test(to.host), `${address} gave the host ${to.host}`)
    check(isPort(to.port), `${address} gave the port ${to.port}`)
    check(to.source === null || isPort(to.source.port), `${address} gave the source port ${to.source?.port}`)
    good++
  })
  if (isUsualRun) expect(good).toBeGreaterThan(1000)
})

it("any text is a tcp address to bind to, or is refused", fuzzing, () => {
  let good = 0
  fuzz(20_000, random => {
    const address = text(random, ADDRESSES)
    const at = accepted(() => parseBinding(address))
    if (at === null) return
    check(/^[A-Za-z0-9\-._:%[\]]*$/.test(at.host), `${address} gave the host ${at.host}`)
    check(isPort(at.port), `${address} gave the port ${at.port}`)
    good++
  })
  if (isUsualRun) expect(good).toBeGreaterThan(1000)
})

it("any text is a udp address, or is refused", fuzzing, () => {
  let good = 0
  fuzz(5_000, random => {
    const address = text(random, UDP_ADDRESSES)
    const ipv6 = random.once(2)
    const codes = ["EINVAL", "ENODEV"]
    const to = accepted(() => parseUdpDestination(address, ipv6), codes)
    const at = accepted(() => parseUdpBinding(address, ipv6), codes)
    check(
      to === null || (isPort(to.port) && to.port > 0 && to.host !== ""),
      `${address} gave ${to?.host} and ${to?.port}`,
    )
    check(at === null || (isPort(at.port) && at.host !== ""), `${address} gave ${at?.host} and ${at?.port}`)
    for (const each of [to, at]) check(each === null || each.group || each.prefix === "", `${address} has an interface`)
    const place = parsePlace(address)
    check(place === null || (isPort(place.port) && isIP(place.host) !== 0), `${address} is the place ${place?.host}`)
    if (to !== null && at !== null) good++
  })
  if (isUsualRun) expect(good).toBeGreaterThan(500)
})

it("no name that every object has is an interface", () => {
  for (const name of ["__proto__", "constructor", "toString"]) {
    expect(parseUdpBinding(`${name}:1`, false).host).toBe(name)
    expect(accepted(() => parseUdpBinding(`${name};239.0.0.1:1`, false), ["ENODEV"])).toBeNull()
  }
})

it("any text is an ipc address, or is refused", fuzzing, () => {
  fuzz(5_000, random => {
    const address = text(random, ["/tmp/a", "@name", "@", "*", "relative/path"])
    if (address === "") return
    const good = passes(() => ipc.check(address, OPTIONS), ["EINVAL", "ENAMETOOLONG"])
    check(
      good === (address !== "@" && Buffer.byteLength(address) <= 107),
      `${address} is ${good ? "taken" : "refused"}`,
    )
  })
})

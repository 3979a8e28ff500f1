/**
 * PUSH → PULL over tcp under CURVE, with each library that Peerlane takes its boxes from, and `zeromq`, whose libzmq has
 * libsodium built in; and over tls+tcp, which `zeromq` does not have.
 */
import { curveKeyPair } from "zeromq"
import { authority } from "../test/support/certificates.js"
import type { Case, Contender } from "./measure.js"
import { freshEndpoint, type Plan, sizeName } from "./plan.js"
import { together } from "./processes.js"
import { measured, messageRate, pull, push } from "./push-pull.js"
import type { SecurityTask } from "./reports.js"

/** In the order in which Peerlane looks for them. */
const libraries = ["sodium-native", "libsodium-wrappers"]
const TLS = "tls+tcp"
const sizes = [16, 1024, 64 * 1024]
const quickSizes = [1024]
const limitMs = 60_000

export function curveCases(plan: Plan): Case[] {
  return (plan.sizes ?? (plan.quick ? quickSizes : sizes)).map(size => ({
    question: "curve",
    key: `tcp ${size}`,
    title: `PUSH→PULL under CURVE and TLS ${sizeName(size)}`,
    metrics: [messageRate],
    contenders: contenders(plan, size),
    size,
    firstCount: Math.max(50, Math.min(20_000, Math.round((10 << 20) / size))),
    scaled: true,
  }))
}

function contenders(plan: Plan, size: number): Contender[] {
  return plan.variants.flatMap(({ engine, loop, label }) =>
    (engine === "peerlane" ? [...libraries, TLS] : [""]).map(library => ({
      engine,
      loop,
      library,
      label: library === "" ? label : `${label}, ${library}`,
      run: count =>
        together(limitMs, async processes => {
          const stream = { size, warm: Math.ceil(count / 4), timed: count }
          const task = { engine, loop, ...stream, ...secured(plan, library) }
          const receiver = processes.fork(pull, task)
          const { endpoint } = await receiver.expect("bound")
          return measured(receiver, processes.fork(push, { ...task, endpoint }))
        }),
    })),
  )
}

function secured(plan: Plan, library: string): { endpoint: string; security: SecurityTask } {
  const endpoint = freshEndpoint(plan, "tcp")
  if (library !== TLS) return { endpoint, security: keys(library) }
  const ca = authority()
  const { cert, key } = ca.issue({ hosts: ["127.0.0.1"] })
  const security = { library: "", pull: { tlsCertPem: cert, tlsKeyPem: key }, push: { tlsTrustPem: ca.cert } }
  return { endpoint: endpoint.replace("tcp:", "tls+tcp:"), security }
}

function keys(library: string): SecurityTask {
  const server = curveKeyPair()
  const client = curveKeyPair()
  return {
    library,
    pull: { curveServer: true, curveSecretKey: server.secretKey },
    push: {
      curveServerKey: server.publicKey,
      curvePublicKey: client.publicKey,
      curveSecretKey: client.secretKey,
    },
  }
}

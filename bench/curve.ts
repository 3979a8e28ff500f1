/**
 * PUSH → PULL over tcp under CURVE, with each library that Peerlane takes its boxes from, and `zeromq`, whose libzmq has
 * libsodium built in.
 */
import { curveKeyPair } from "zeromq"
import type { Case, Contender } from "./measure.js"
import { freshEndpoint, type Plan, sizeName } from "./plan.js"
import { together } from "./processes.js"
import { measured, messageRate, pull, push } from "./push-pull.js"
import type { SecurityTask } from "./reports.js"

/** In the order in which Peerlane looks for them. */
const libraries = ["sodium-native", "libsodium-wrappers"]
const sizes = [16, 1024, 64 * 1024]
const quickSizes = [1024]
const limitMs = 60_000

export function curveCases(plan: Plan): Case[] {
  return (plan.sizes ?? (plan.quick ? quickSizes : sizes)).map(size => ({
    question: "curve",
    key: `tcp ${size}`,
    title: `PUSH→PULL under CURVE ${sizeName(size)}`,
    metrics: [messageRate],
    contenders: contenders(plan, size),
    size,
    firstCount: Math.max(50, Math.min(20_000, Math.round((10 << 20) / size))),
    scaled: true,
  }))
}

function contenders(plan: Plan, size: number): Contender[] {
  return plan.variants.flatMap(({ engine, loop, label }) =>
    (engine === "peerlane" ? libraries : [""]).map(library => ({
      engine,
      loop,
      library,
      label: library === "" ? label : `${label}, ${library}`,
      run: count =>
        together(limitMs, async processes => {
          const stream = { size, warm: Math.ceil(count / 4), timed: count }
          const task = { engine, loop, ...stream, endpoint: freshEndpoint(plan, "tcp"), security: keys(library) }
          const receiver = processes.fork(pull, task)
          const { endpoint } = await receiver.expect("bound")
          return measured(receiver, processes.fork(push, { ...task, endpoint }))
        }),
    })),
  )
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

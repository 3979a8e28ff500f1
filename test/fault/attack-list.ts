/** The attacks of the drills. Each does what a stranger may do who reaches the port, and no more. */
import { setTimeout as passed } from "node:timers/promises"
import { curveKeyPair } from "../../patterns/curve/key-pair.js"
import { sodium } from "../../patterns/curve/sodium.js"
import { curveClient } from "../../src/wire/curve-client.js"
import { decodeZ85 } from "../../src/wire/z85.js"
import { End, engineOptions } from "../support/link.js"
import { command, frame, greeting, header, LONG, MORE, property, ready } from "../support/zmtp-bytes.js"
import type { Attack } from "./drill.js"

const dealer = Buffer.concat([greeting(), ready("DEALER", "")])
const subscriber = Buffer.concat([greeting(), ready("SUB")])
const plain = (user: string) =>
  Buffer.concat([greeting({ mechanism: "PLAIN" }), command("HELLO", Buffer.from(`\x04${user}\x00`, "latin1"))])
const KiB = 1024
const server = curveKeyPair()
const client = curveKeyPair()

/** Greeting and HELLO of a client that knows the server's public key; the same bytes are good on any connection. */
async function hello(): Promise<Buffer> {
  await new Promise<void>((resolve, reject) => sodium.load(error => (error === null ? resolve() : reject(error))))
  const pair = { publicKey: decodeZ85(client.publicKey), secretKey: decodeZ85(client.secretKey) }
  const end = new End(engineOptions("DEALER", { mechanism: curveClient(sodium, pair, decodeZ85(server.publicKey)) }))
  end.engine.start(0)
  end.receive(greeting({ mechanism: "CURVE" }))
  return Buffer.from(end.output())
}

/** No attack: what the healthy peer loses to a third busy process alone, to compare the figures of the others with. */
const control = (victim: Attack["victim"]): Attack => ({
  name: `none: a busy processor, ${victim}`,
  victim,
  full: 0,
  short: 0,
  async run(attacker) {
    for (const from = performance.now(); performance.now() - from < attacker.holdMs; );
  },
})

export const attacks: readonly Attack[] = [
  control("router"),
  control("publisher"),
  {
    name: "silent connections",
    victim: "router",
    full: 5_000,
    short: 300,
    async run(attacker, size) {
      await attacker.openMany(size)
      await attacker.hold()
    },
  },
  {
    name: "a byte of the handshake a second",
    victim: "router",
    full: 1_000,
    short: 100,
    async run(attacker, size) {
      await attacker.openMany(size, dealer.subarray(0, 1))
      const pause = Math.min(1000, attacker.holdMs / 5)
      for (let at = 1, spent = 0; spent < 2 * attacker.holdMs; at++, spent += pause) {
        for (const socket of attacker.sockets) socket.write(dealer.subarray(at, at + 1))
        await passed(pause)
      }
    },
  },
  {
    name: "lengths of 2^62 and of 2^52",
    victim: "router",
    full: 1_000,
    short: 100,
    async run(attacker, size) {
      for (const length of [2n ** 62n, 2n ** 52n]) {
        await attacker.openMany(size / 2, Buffer.concat([dealer, header(LONG, length), Buffer.alloc(100)]))
      }
      await attacker.hold()
    },
  },
  {
    name: "tiny frames in one message",
    victim: "router",
    full: 1_000_000,
    short: 100_000,
    async run(attacker, size) {
      const socket = await attacker.open()
      socket.resume().write(dealer)
      await attacker.pour(socket, size, () => frame("", MORE))
      await attacker.hold()
    },
  },
  {
    name: "subscriptions of one peer",
    victim: "publisher",
    full: 1_100_000,
    short: 50_000,
    async run(attacker, size) {
      const socket = await attacker.open()
      socket.resume().write(subscriber)
      await attacker.pour(socket, size, index => command("SUBSCRIBE", `topic number ${index}`))
      await attacker.hold()
    },
  },
  {
    name: "subscribing and cancelling",
    victim: "publisher",
    full: 1_000_000,
    short: 50_000,
    async run(attacker, size) {
      const socket = await attacker.open()
      socket.resume().write(subscriber)
      await attacker.pour(socket, size, index =>
        command(index % 2 === 0 ? "SUBSCRIBE" : "CANCEL", `topic number ${index >> 1}`),
      )
      await attacker.hold()
    },
  },
  {
    name: "PINGs whose answers nobody reads",
    victim: "router",
    full: 1_000_000,
    short: 100_000,
    async run(attacker, size) {
      const socket = await attacker.open()
      socket.pause().write(dealer)
      const ping = command("PING", Buffer.alloc(18))
      await attacker.pour(socket, size, () => ping)
      await attacker.hold()
    },
  },
  {
    name: "connects and disconnects",
    victim: "router",
    full: 20_000,
    short: 500,
    async run(attacker, size) {
      for (let done = 0; done < size; done += 50) {
        const some = await Promise.all(Array.from({ length: 50 }, () => attacker.open()))
        for (const [index, socket] of some.entries()) {
          if (index % 2 === 0) socket.write(dealer)
          attacker.drop(socket)
        }
      }
    },
  },
  {
    // Without a measure, a publisher is slower by what the copies for a hundred more cost, whether they read or not.
    name: "readers that never read",
    victim: "publisher",
    victimTask: { options: {}, burst: 100 },
    full: 100,
    short: 5,
    async run(attacker, size) {
      for (let opened = 0; opened < size; opened++) {
        const socket = await attacker.open()
        socket.pause().write(Buffer.concat([subscriber, command("SUBSCRIBE")]))
      }
      await attacker.hold()
      await attacker.hold()
    },
  },
  {
    name: "CURVE HELLOs",
    victim: "router",
    full: 10_000,
    short: 300,
    victimTask: { options: { curveServer: true, curveSecretKey: server.secretKey } },
    healthyOptions: {
      curveServerKey: server.publicKey,
      curvePublicKey: client.publicKey,
      curveSecretKey: client.secretKey,
    },
    async run(attacker, size) {
      await attacker.openMany(size, await hello())
    },
  },
  {
    name: "metadata of 1 MiB",
    victim: "router",
    full: 500,
    short: 30,
    async run(attacker, size) {
      const large = property("X-large", Buffer.alloc(KiB * KiB))
      const first = Buffer.concat([greeting(), command("READY", large)])
      await attacker.openMany(size, first)
      await attacker.hold()
    },
  },
  {
    name: "many that wait to be let in",
    victim: "router",
    full: 2_000,
    short: 100,
    victimTask: { options: { plainServer: true }, patient: "slow" },
    healthyOptions: { plainUsername: "healthy", plainPassword: "password" },
    async run(attacker, size) {
      await attacker.openMany(size, plain("slow"))
      await attacker.hold()
    },
  },
]

/**
 * A ZeroMQ peer for tests, in a process of its own: `node node-peer.mjs zeromq` runs on the npm package `zeromq`
 * (libzmq), `node node-peer.mjs peerlane` on the build of this project. It obeys commands, one JSON object a line on
 * stdin, and answers each with one line on stdout; answers may come in another order than their commands.
 * pyzmq_peer.py speaks the same protocol, without the rows marked *.
 *
 *   hello   {"hello":"zeromq","version":"4.3.5"}                                  the first line, unasked
 *   ask     {"id":7,"op":"open","socket":"a","type":"PUSH","options":{…}}
 *   answer  {"id":7,…}  or  {"id":7,"error":{"code":"EINVAL","message":"…"}}
 *
 *   op           arguments (all but memory and swarm take "socket")   answer
 *   open         type, options (names of `zeromq`; {"b64":…} = bytes)
 *   bind         endpoint                                             endpoint, as resolved
 *   connect      endpoint, routingId?
 *   unbind       endpoint
 *   disconnect   endpoint
 *   subscribe    topics: base64[]                                     SUB only; XSUB sends 01 + topic
 *   unsubscribe  topics: base64[]
 *   send         messages: frame[][]; frame = base64 | {size, seed}   when all are accepted
 *   receive      count = 1, timeout = 10000 ms                        messages: report[][]; EAGAIN when time is up
 *   echo                                                              at once; sends back all that comes until closed
 *   flood *      sender, count, frames = 1, size = 64, from = 0       at once; sends numbered messages
 *   sink *                                                            at once; reads and tallies numbered messages
 *   state *                                                           sent, flooding, tally, failure
 *   authenticate users: {name: password}, keys: Z85[]                at once; a ZAP handler for the sockets of the process,
 *                                                                     which takes the place of the one before
 *   close
 *   memory *                                                          process.memoryUsage(), after gc() if there is one
 *   swarm *      type, endpoint, count                                answered: how many of `count` sockets, opened at
 *                                                                     once, had their message echoed
 *
 * A socket's linger is 0 unless told. The process ends when stdin does.
 */

import { createInterface } from "node:readline"
import { setImmediate as turn } from "node:timers/promises"
import { frameOf, report, stamp, Tally } from "./messages.mjs"

const engine = process.argv[2]
const zmq = await import(engine === "zeromq" ? "zeromq" : "../../../dist/patterns/index.js")

const types = {
  PUSH: zmq.Push,
  PULL: zmq.Pull,
  PUB: zmq.Publisher,
  SUB: zmq.Subscriber,
  XPUB: zmq.XPublisher,
  XSUB: zmq.XSubscriber,
  REQ: zmq.Request,
  REP: zmq.Reply,
  DEALER: zmq.Dealer,
  ROUTER: zmq.Router,
  PAIR: zmq.Pair,
  STREAM: zmq.Stream,
}

/** Open sockets by name: { socket, sent, flooding, tally, failure }. */
const open = new Map()

/** Whom the ZAP handler lets in, and the handler. */
let allowed = { users: {}, keys: [] }
let handler = null

const Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"

function bytesOfKey(text) {
  const bytes = Buffer.alloc((text.length / 5) * 4)
  for (let at = 0; at < text.length / 5; at++) {
    let value = 0
    for (const character of text.slice(at * 5, at * 5 + 5)) value = value * 85 + Z85.indexOf(character)
    bytes.writeUInt32BE(value, at * 4)
  }
  return bytes
}

/** Answers the questions of 27/ZAP. */
async function judge(reply) {
  for await (const [version, id, , , , mechanism, first, second] of reply) {
    const isKnown =
      String(mechanism) === "PLAIN"
        ? allowed.users[String(first)] === String(second)
        : String(mechanism) === "CURVE" && allowed.keys.some(key => bytesOfKey(key).equals(first))
    await reply.send([version, id, isKnown ? "200" : "400", "", isKnown ? "somebody" : "", ""])
  }
}

const commands = {
  open({ socket: name, type, options = {} }) {
    const settings = { linger: 0 }
    for (const [key, value] of Object.entries(options)) {
      settings[key] = typeof value?.b64 === "string" ? Buffer.from(value.b64, "base64") : value
    }
    open.set(name, { socket: new types[type](settings), sent: 0, flooding: false, tally: null, failure: null })
  },
  async bind({ socket: name, endpoint }) {
    const { socket } = open.get(name)
    await socket.bind(endpoint)
    return { endpoint: socket.lastEndpoint }
  },
  connect({ socket: name, endpoint, routingId }) {
    const { socket } = open.get(name)
    if (routingId === undefined) socket.connect(endpoint)
    else socket.connect(endpoint, { routingId })
  },
  async unbind({ socket: name, endpoint }) {
    await open.get(name).socket.unbind(endpoint)
  },
  disconnect({ socket: name, endpoint }) {
    open.get(name).socket.disconnect(endpoint)
  },
  subscribe({ socket: name, topics }) {
    open.get(name).socket.subscribe(...topics.map(frameOf))
  },
  unsubscribe({ socket: name, topics }) {
    open.get(name).socket.unsubscribe(...topics.map(frameOf))
  },
  async send({ socket: name, messages }) {
    const { socket } = open.get(name)
    for (const message of messages) await socket.send(message.map(frameOf))
  },
  async receive({ socket: name, count = 1, timeout = 10_000 }) {
    const { socket } = open.get(name)
    socket.receiveTimeout = timeout
    const messages = []
    while (messages.length < count) messages.push((await socket.receive()).map(report))
    return { messages }
  },
  echo({ socket: name }) {
    const { socket } = open.get(name)
    background(name, async () => {
      for await (const message of socket) await socket.send(message)
    })
  },
  flood({ socket: name, sender, count, frames = 1, size = 64, from = 0 }) {
    const entry = open.get(name)
    entry.flooding = true
    background(name, async () => {
      for (let number = from; number < from + count; number++) {
        await entry.socket.send(stamp(sender, number, frames, size))
        entry.sent++
      }
      entry.flooding = false
    })
  },
  sink({ socket: name }) {
    const entry = open.get(name)
    entry.tally = new Tally()
    background(name, async () => {
      for await (const message of entry.socket) entry.tally.add(message)
    })
  },
  state({ socket: name }) {
    const { sent, flooding, tally, failure } = open.get(name)
    return { sent, flooding, tally: tally?.summary() ?? null, failure }
  },
  async authenticate({ users, keys }) {
    allowed = { users, keys }
    if (handler !== null) return
    handler = new zmq.Reply({ linger: 0 })
    await handler.bind("inproc://zeromq.zap.01")
    void judge(handler)
  },
  close({ socket: name }) {
    open.get(name).socket.close()
    open.delete(name)
  },
  async memory() {
    for (let round = 0; round < 3; round++) {
      globalThis.gc?.()
      await turn()
    }
    return process.memoryUsage()
  },
  async swarm({ type, endpoint, count }) {
    const members = Array.from({ length: count }, () => new types[type]({ linger: 0, receiveTimeout: 30_000 }))
    try {
      for (const member of members) member.connect(endpoint)
      const heard = members.map(async (member, index) => {
        await member.send(`member ${index}`)
        const reply = await member.receive()
        return reply.at(-1).toString() === `member ${index}`
      })
      const outcomes = await Promise.allSettled(heard)
      return { answered: outcomes.filter(outcome => outcome.value === true).length }
    } finally {
      for (const member of members) member.close()
    }
  },
}

/** Runs a loop that outlives its command; what ends it is kept for `state`, unless the socket was closed. */
function background(name, loop) {
  const entry = open.get(name)
  loop().catch(error => {
    entry.flooding = false
    if (!entry.socket.closed) entry.failure = `${error.code ?? ""} ${error.message}`.trim()
  })
}

function answer(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

async function obey({ id, op, ...rest }) {
  try {
    answer({ id, ...(await commands[op](rest)) })
  } catch (error) {
    answer({ id, error: { code: error.code ?? error.name, message: error.message } })
  }
}

createInterface({ input: process.stdin })
  .on("line", line => void obey(JSON.parse(line)))
  .on("close", () => process.exit(0))
answer({ hello: engine, version: zmq.version })

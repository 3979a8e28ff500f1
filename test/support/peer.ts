/**
 * Drives a peer program in another process, or in another thread of this one: starts it, asks it for sockets, and ends it
 * by its own pid. The protocol is
 * described at the top of peers/node-peer.mjs. Peers that a failing test left behind are killed when this process
 * exits, and a peer whose driver died ends by itself because its stdin closes.
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import type { Readable, Writable } from "node:stream"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import { afterAll, beforeAll } from "vitest"
import type { FrameDescription, FrameReport, TallySummary } from "./peers/messages.mjs"
import { pattern, report } from "./peers/messages.mjs"

/** `zeromq` and `pyzmq` are libzmq; `peerlane` is the build of this project in dist/. */
export type PeerKind = "zeromq" | "pyzmq" | "peerlane"

/** A frame as tests write it: text, bytes, or many bytes made from a seed on both sides of the pipe. */
export type Part = string | Buffer | { size: number; seed: number | string }

export interface PeerState {
  sent: number
  flooding: boolean
  tally: TallySummary | null
  failure: string | null
}

interface Answer {
  id: number
  error?: { code: string; message: string }
  [field: string]: unknown
}

interface Waiter {
  resolve(answer: Answer): void
  reject(error: Error): void
}

/** How long any one command may take before the test is told that the peer hangs. */
const PATIENCE = 30_000

const nodeProgram = fileURLToPath(new URL("./peers/node-peer.mjs", import.meta.url))
const pythonProgram = fileURLToPath(new URL("./peers/pyzmq_peer.py", import.meta.url))
const python = process.env.PYTHON ?? "/usr/bin/python3"

const living = new Set<ChildProcess>()
process.once("exit", () => {
  for (const child of living) child.kill("SIGKILL")
})

/** The bytes of a part. */
export function bytesOf(part: Part): Buffer {
  if (typeof part === "string") return Buffer.from(part)
  return Buffer.isBuffer(part) ? part : pattern(part.size, part.seed)
}

/** What a peer reports when it receives these parts whole. */
export function reportsOf(parts: readonly Part[]): FrameReport[] {
  return parts.map(part => report(bytesOf(part)))
}

function descriptionOf(part: Part): FrameDescription {
  if (typeof part === "string" || Buffer.isBuffer(part)) return bytesOf(part).toString("base64")
  return part
}

/** Whether python3-zmq is here: null, or the reason why its tests are skipped, printed once a file. */
export function pyzmqMissing(): string | null {
  const probe = spawnSync(python, ["-c", "import zmq.asyncio"], { encoding: "utf8" })
  if (probe.status === 0) return null
  const reason = `python3-zmq is not usable by ${python} (set PYTHON to choose another)`
  console.warn(`skipped: ${reason}`)
  return reason
}

/** What a peer program runs in. */
interface Body {
  readonly name: string
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  readonly gone: boolean
  /** Ends it at once, wherever it is. */
  kill(): Promise<unknown>
  onEnd(end: (what: string) => void): void
}

function inProcess(child: ChildProcess): Body {
  living.add(child)
  return {
    name: `pid ${child.pid}`,
    stdin: child.stdin!,
    stdout: child.stdout!,
    stderr: child.stderr!,
    get gone() {
      return child.exitCode !== null || child.signalCode !== null
    },
    kill() {
      const exited = once(child, "exit")
      child.kill("SIGKILL")
      return exited
    },
    onEnd(end) {
      const over = (what: string) => {
        living.delete(child)
        end(what)
      }
      child.once("exit", () => over("ended before it answered"))
      child.once("error", error => over(error.message))
    },
  }
}

function inThread(worker: Worker): Body {
  let gone = false
  worker.once("exit", () => {
    gone = true
  })
  return {
    name: `thread ${worker.threadId}`,
    stdin: worker.stdin!,
    stdout: worker.stdout,
    stderr: worker.stderr,
    get gone() {
      return gone
    },
    kill: () => worker.terminate(),
    onEnd(end) {
      worker.once("exit", () => end("ended before it answered"))
      worker.once("error", error => end(error.message))
    },
  }
}

export class Peer {
  readonly kind: PeerKind
  version = ""
  readonly #body: Body
  readonly #child: ChildProcess | null
  readonly #waiters = new Map<number, Waiter>()
  #stderr = ""
  #nextId = 1
  #nextSocket = 1
  #frozen = false

  private constructor(kind: PeerKind, body: Body, child: ChildProcess | null) {
    this.kind = kind
    this.#body = body
    this.#child = child
  }

  /** Starts a peer program and waits for its first line. `gc` lets `memory()` collect before it measures. */
  static async spawn(kind: PeerKind, { gc = false }: { gc?: boolean } = {}): Promise<Peer> {
    const [program, args] =
      kind === "pyzmq"
        ? [python, [pythonProgram]]
        : [process.execPath, [...(gc ? ["--expose-gc"] : []), nodeProgram, kind]]
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] })
    const peer = new Peer(kind, inProcess(child), child)
    await peer.#listen()
    return peer
  }

  /** The same in another thread of this process. */
  static async thread(kind: Exclude<PeerKind, "pyzmq">): Promise<Peer> {
    const worker = new Worker(nodeProgram, { argv: [kind], stdin: true, stdout: true, stderr: true })
    const peer = new Peer(kind, inThread(worker), null)
    await peer.#listen()
    return peer
  }

  get pid(): number {
    return this.#child?.pid ?? process.pid
  }

  /** Opens a socket there; the type is spelled as on the wire ("PUSH"), the options as in `zeromq`. */
  async open(type: string, options: Record<string, unknown> = {}): Promise<PeerSocket> {
    const name = `${type}-${this.#nextSocket++}`
    const plain: Record<string, unknown> = {}
    for (const [key, value] of Object.entries(options)) {
      plain[key] = Buffer.isBuffer(value) ? { b64: value.toString("base64") } : value
    }
    await this.call("open", { socket: name, type, options: plain })
    return new PeerSocket(this, name)
  }

  /** Starts a ZAP handler there, or tells it whom to let in from now on: by name and password, and by public key. */
  async authenticate({ users = {}, keys = [] }: { users?: Record<string, string>; keys?: string[] }): Promise<void> {
    await this.call("authenticate", { users, keys })
  }

  async memory(): Promise<NodeJS.MemoryUsage> {
    return (await this.call("memory", {})) as unknown as NodeJS.MemoryUsage
  }

  /** Opens `count` sockets at once, each sends one message and awaits its echo; resolves with how many got it. */
  async swarm(type: string, endpoint: string, count: number): Promise<number> {
    return (await this.call("swarm", { type, endpoint, count })).answered as number
  }

  call(op: string, fields: Record<string, unknown>): Promise<Answer> {
    if (this.gone) return Promise.reject(this.#fault(`is gone and cannot "${op}"`))
    const id = this.#nextId++
    return new Promise<Answer>((resolve, reject) => {
      const timer = setTimeout(() => reject(this.#fault(`did not answer "${op}" in ${PATIENCE} ms`)), PATIENCE)
      this.#waiters.set(id, {
        resolve: answer => {
          clearTimeout(timer)
          resolve(answer)
        },
        reject: error => {
          clearTimeout(timer)
          reject(error)
        },
      })
      this.#body.stdin.write(`${JSON.stringify({ id, op, ...fields })}\n`)
    })
  }

  /** kill -9, or what comes next to it for a thread; resolves when it is gone. */
  async kill(): Promise<void> {
    if (!this.gone) await this.#body.kill()
  }

  /** Stops the process where it stands: its connections stay open and nobody answers on them. */
  freeze(): void {
    this.#frozen = this.#child?.kill("SIGSTOP") ?? false
  }

  thaw(): void {
    this.#frozen = !this.#child?.kill("SIGCONT")
  }

  /** Whether it can still be asked something. */
  get answers(): boolean {
    return !this.gone && !this.#frozen
  }

  /** Whether it has ended. */
  get gone(): boolean {
    return this.#body.gone
  }

  async #listen(): Promise<void> {
    const { stdin, stdout, stderr } = this.#body
    stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4000)
    })
    stdin.on("error", () => {}) // it may be killed under a write; `exit` tells
    this.#body.onEnd(what => {
      for (const waiter of this.#waiters.values()) waiter.reject(this.#fault(what))
      this.#waiters.clear()
    })
    await new Promise<void>((resolve, reject) => {
      this.#waiters.set(0, { resolve: () => resolve(), reject })
      createInterface({ input: stdout }).on("line", line => this.#hear(JSON.parse(line) as Answer))
    })
  }

  #hear(answer: Answer): void {
    if (answer.hello !== undefined) this.version = String(answer.version)
    const id = answer.id ?? 0
    const waiter = this.#waiters.get(id)
    this.#waiters.delete(id)
    if (answer.error === undefined) waiter?.resolve(answer)
    else waiter?.reject(Object.assign(new Error(answer.error.message), { code: answer.error.code }))
  }

  #fault(what: string): Error {
    return new Error(`the ${this.kind} peer (${this.#body.name}) ${what}${this.#stderr && `:\n${this.#stderr}`}`)
  }
}

/** One socket in a peer program. */
export class PeerSocket {
  readonly #peer: Peer
  readonly #name: string
  #closed = false

  constructor(peer: Peer, name: string) {
    this.#peer = peer
    this.#name = name
  }

  async bind(endpoint: string): Promise<string> {
    return (await this.#call("bind", { endpoint })).endpoint as string
  }

  async connect(endpoint: string, options: { routingId?: string } = {}): Promise<void> {
    await this.#call("connect", { endpoint, ...options })
  }

  async unbind(endpoint: string): Promise<void> {
    await this.#call("unbind", { endpoint })
  }

  async disconnect(endpoint: string): Promise<void> {
    await this.#call("disconnect", { endpoint })
  }

  async subscribe(...topics: (string | Buffer)[]): Promise<void> {
    await this.#call("subscribe", { topics: topics.map(descriptionOf) })
  }

  async unsubscribe(...topics: (string | Buffer)[]): Promise<void> {
    await this.#call("unsubscribe", { topics: topics.map(descriptionOf) })
  }

  /** Sends messages in order; resolves when all of them were accepted. */
  async send(...messages: (readonly Part[])[]): Promise<void> {
    await this.#call("send", { messages: messages.map(message => message.map(descriptionOf)) })
  }

  async receive(count = 1, timeout = 10_000): Promise<FrameReport[][]> {
    return (await this.#call("receive", { count, timeout })).messages as FrameReport[][]
  }

  async echo(): Promise<void> {
    await this.#call("echo", {})
  }

  async flood(load: { sender: number; count: number; frames?: number; size?: number; from?: number }): Promise<void> {
    await this.#call("flood", load)
  }

  async sink(): Promise<void> {
    await this.#call("sink", {})
  }

  async state(): Promise<PeerState> {
    return (await this.#call("state", {})) as unknown as PeerState
  }

  /** Closes it there, once; nothing to do when its process is gone or stopped. */
  async close(): Promise<void> {
    if (this.#closed || !this.#peer.answers) return
    this.#closed = true
    await this.#call("close", {})
  }

  #call(op: string, fields: Record<string, unknown>): Promise<Answer> {
    return this.#peer.call(op, { socket: this.#name, ...fields })
  }
}

/** One peer process for the tests of a describe block: started before them, killed after them. */
export function usePeer(kind: PeerKind, options: { gc?: boolean } = {}): () => Peer {
  return use(() => Peer.spawn(kind, options))
}

/** The same in another thread. */
export function useThread(kind: "peerlane" | "zeromq"): () => Peer {
  return use(() => Peer.thread(kind))
}

function use(start: () => Promise<Peer>): () => Peer {
  let peer: Peer | undefined
  beforeAll(async () => {
    peer = await start()
  })
  afterAll(() => peer?.kill())
  return () => peer!
}

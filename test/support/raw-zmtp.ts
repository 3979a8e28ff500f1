/**
 * A ZMTP 3 peer made by hand on a plain tcp (or ipc) socket, from the text of 37/ZMTP and with nothing of src/: a second witness
 * of the wire, and a peer that may lie, stall, stop in the middle or say nothing at all.
 */

import { once } from "node:events"
import { createServer, connect as dial, type Server, type Socket } from "node:net"
import { onTestFinished } from "vitest"
import { COMMAND, greeting, LONG, MORE, ready } from "./zmtp-bytes.js"

export { COMMAND, command, frame, greeting, header, LONG, MORE, message, property, ready } from "./zmtp-bytes.js"

/** One end of a raw connection. */
export class RawPeer {
  readonly socket: Socket
  /** Resolves when the other side has ended the connection, in whatever way. */
  readonly ended: Promise<void>
  #received: Buffer = Buffer.alloc(0)
  #wake: () => void = () => {}
  #over = false

  constructor(socket: Socket) {
    this.socket = socket
    this.ended = new Promise(resolve => {
      const over = () => {
        this.#over = true
        this.#wake()
        resolve()
      }
      socket.on("end", over).on("close", over)
    })
    socket.on("error", () => {}) // a reset is one way to end it
    socket.on("data", chunk => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#wake()
    })
  }

  /** Connects to an endpoint such as tcp://127.0.0.1:5555 or ipc:///a/path; the connection is destroyed with the running test. */
  static async connect(endpoint: string, { allowHalfOpen = false } = {}): Promise<RawPeer> {
    const { hostname, port, pathname } = new URL(endpoint)
    const to = endpoint.startsWith("ipc:") ? { path: pathname } : { host: hostname, port: Number(port), noDelay: true }
    const peer = new RawPeer(dial({ ...to, allowHalfOpen }))
    onTestFinished(() => peer.destroy())
    await once(peer.socket, "connect")
    return peer
  }

  get isOver(): boolean {
    return this.#over
  }

  send(...bytes: Buffer[]): void {
    this.socket.write(Buffer.concat(bytes))
  }

  /** The next `size` bytes; rejects when the connection ends before they are there. */
  async read(size: number): Promise<Buffer> {
    while (this.#received.length < size) {
      if (this.#over) throw new Error(`ended after ${this.#received.length} of ${size} bytes`)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    const bytes = this.#received.subarray(0, size)
    this.#received = this.#received.subarray(size)
    return bytes
  }

  /** The next frame: its flags without LONG, and its body. */
  async readFrame(): Promise<{ flags: number; body: Buffer }> {
    const flags = (await this.read(1))[0]!
    const size = flags & LONG ? Number((await this.read(8)).readBigUInt64BE()) : (await this.read(1))[0]!
    return { flags: flags & ~LONG, body: await this.read(size) }
  }

  /** The next message, its commands left out. */
  async readMessage(): Promise<Buffer[]> {
    const parts: Buffer[] = []
    for (;;) {
      const { flags, body } = await this.readFrame()
      if (flags & COMMAND) continue
      parts.push(body)
      if ((flags & MORE) === 0) return parts
    }
  }

  /** Greets and gets ready as a socket of this type; resolves when the other side is ready, too. */
  async handshake(type: string, identity = ""): Promise<void> {
    this.send(greeting())
    await this.read(64)
    this.send(ready(type, identity))
    await this.readFrame()
  }

  /** From now on leaves what comes in the kernel. */
  stopReading(): void {
    this.socket.pause()
  }

  destroy(): void {
    this.socket.destroy()
  }
}

/** A raw server on an ephemeral port: each connection that comes is handed to `serve`. It ends with the running test. */
export async function rawServer(serve: (peer: RawPeer, number: number) => void, port = 0): Promise<string> {
  const peers: RawPeer[] = []
  const server: Server = createServer(socket => {
    const peer = new RawPeer(socket)
    peers.push(peer)
    serve(peer, peers.length)
  })
  onTestFinished(() => {
    server.close()
    for (const peer of peers) peer.destroy()
  })
  server.listen(port, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("a tcp server has a port")
  return `tcp://127.0.0.1:${address.port}`
}

/** A tiny SOCKS5 proxy on loopback, which writes down what it was asked, and connects, refuses or stalls as it is told. */
import { once } from "node:events"
import { type AddressInfo, createServer, connect as dial, type Socket } from "node:net"
import { onTestFinished } from "vitest"

export interface ProxyOptions {
  /** The way to authenticate that it chooses. */
  method?: number
  /** Its answer to a password: 0 accepts. */
  verdict?: number
  /** Its answer to CONNECT: 0 connects, to where {@link SocksProxy.target} says. */
  reply?: number
  /** Says nothing after so many of its answers. */
  stallsAfter?: number
  /** Sends its answers a byte at a time. */
  trickles?: boolean
}

export class SocksProxy {
  endpoint = ""
  /** Where all requests are taken to, whatever they ask for. */
  target = ""
  /** What was said to it, one hex text for each part of the conversation; of all connections. */
  readonly heard: string[] = []
  connections = 0
  private readonly sockets = new Set<Socket>()

  constructor(readonly options: ProxyOptions) {}

  static async start(options: ProxyOptions = {}): Promise<SocksProxy> {
    const proxy = new SocksProxy(options)
    const server = createServer({ noDelay: true }, socket => {
      proxy.serve(socket).catch(() => socket.destroy())
    })
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    proxy.endpoint = `127.0.0.1:${(server.address() as AddressInfo).port}`
    onTestFinished(() => {
      for (const socket of proxy.sockets) socket.destroy()
      server.close()
    })
    return proxy
  }

  private async serve(socket: Socket): Promise<void> {
    const { method = 0, verdict = 0, reply = 0, stallsAfter = Number.POSITIVE_INFINITY, trickles } = this.options
    this.connections++
    this.own(socket)
    let answers = 0
    const say = async (...bytes: number[]) => {
      if (answers++ >= stallsAfter) await once(socket, "close")
      const pieces = trickles ? bytes.map(byte => [byte]) : [bytes]
      for (const piece of pieces) {
        socket.write(Buffer.from(piece))
        await new Promise(resolve => setImmediate(resolve))
      }
    }
    const take = async (length: number) => {
      for (;;) {
        const bytes: Buffer | null = socket.read(length)
        if (bytes !== null) return bytes
        await once(socket, "readable")
      }
    }
    const hear = (...parts: Buffer[]) => void this.heard.push(Buffer.concat(parts).toString("hex"))
    const open = await take(2)
    hear(open, await take(open[1]!))
    await say(5, method)
    if (method === 2) {
      const head = await take(2)
      const user = await take(head[1]! + 1)
      hear(head, user, await take(user.at(-1)!))
      await say(1, verdict)
    }
    const head = await take(5)
    const rest = { 1: 5, 3: head[4]! + 2, 4: 17 }[head[3]!] ?? 0
    hear(head, await take(rest))
    if (reply !== 0) {
      await say(5, reply, 0, 1, 0, 0, 0, 0, 0, 0)
      socket.end()
      return
    }
    const { hostname, port } = new URL(this.target)
    const onward = dial({ host: hostname, port: Number(port), noDelay: true })
    this.own(onward)
    await once(onward, "connect")
    await say(5, 0, 0, 3, 4, ...Buffer.from("here"), 0x12, 0x34)
    onward.pipe(socket).pipe(onward)
    onward.on("close", () => socket.destroy())
    socket.on("close", () => onward.destroy())
  }

  private own(socket: Socket): void {
    this.sockets.add(socket)
    socket.on("error", () => {})
    socket.on("close", () => this.sockets.delete(socket))
  }
}

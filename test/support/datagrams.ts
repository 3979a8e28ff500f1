/** For tests of udp: free ports, a plain socket of Node's as the other side, and whether multicast works here. */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram"
import { once } from "node:events"
import { networkInterfaces } from "node:os"
import { onTestFinished } from "vitest"
import { pause } from "./eventually.js"

const all = Object.entries(networkInterfaces())
/** The name of the loopback interface: `lo`. */
export const loopback = all.find(([, list]) => list?.some(({ address }) => address === "127.0.0.1"))?.[0] ?? "lo"
export const hasIpv6 = all.some(([, list]) => list?.some(({ address }) => address === "::1"))
if (!hasIpv6) console.log("skipped: IPv6 cases of udp, there is no ::1 on this machine")

/** A group of the range for tests (RFC 5771), and the interface that keeps it on this machine. */
export const GROUP = "233.252.0.18"
export const VIA_LOOPBACK = `127.0.0.1;${GROUP}`

/** Whether a datagram to {@link GROUP} comes back by the loopback interface. */
export const hasMulticast = await tryMulticast()
if (!hasMulticast) console.log("skipped: multicast cases of udp, none comes back by 127.0.0.1 on this machine")

/** A plain socket that keeps what it is sent. */
export class RawUdp {
  readonly received: { bytes: Buffer; from: RemoteInfo }[] = []
  private woken = () => {}

  private constructor(readonly socket: Socket) {
    socket.on("message", (bytes, from) => {
      this.received.push({ bytes, from })
      this.woken()
    })
  }

  /** Bound to a free port of 127.0.0.1, or of ::1, until the end of the test. */
  static async open(type: "udp4" | "udp6" = "udp4", port = 0): Promise<RawUdp> {
    const socket = await boundSocket(type, port)
    onTestFinished(() => void socket.close())
    return new RawUdp(socket)
  }

  get port(): number {
    return this.socket.address().port
  }

  /** As it stands in messages of a Datagram. */
  get address(): string {
    const { address, family, port } = this.socket.address()
    return family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`
  }

  async send(bytes: Uint8Array | string, port: number): Promise<void> {
    const { address } = this.socket.address()
    await new Promise<void>((sent, failed) =>
      this.socket.send(bytes, port, address, error => (error === null ? sent() : failed(error))),
    )
  }

  /** The next datagram. */
  async next(): Promise<{ bytes: Buffer; from: RemoteInfo }> {
    while (this.received.length === 0) {
      await new Promise<void>(resolve => {
        this.woken = resolve
      })
    }
    return this.received.shift()!
  }
}

async function boundSocket(type: "udp4" | "udp6", port: number): Promise<Socket> {
  const socket = createSocket(type)
  socket.bind(port, type === "udp4" ? "127.0.0.1" : "::1")
  await once(socket, "listening")
  return socket
}

/** A port of udp that was free a moment ago. libzmq cannot tell which one it took. */
export async function freeUdpPort(): Promise<number> {
  const socket = await boundSocket("udp4", 0)
  const { port } = socket.address()
  socket.close()
  await once(socket, "close")
  return port
}

/** The port at the end of an endpoint. */
export function portOf(endpoint: string | null): number {
  return Number(endpoint?.slice(endpoint.lastIndexOf(":") + 1))
}

/** Sends again and again until `arrived` settles, as datagrams may be lost, and sockets of libzmq are bound a little later. */
export async function resending<T>(send: () => Promise<unknown>, arrived: Promise<T>): Promise<T> {
  let done = false
  const settled = arrived.finally(() => {
    done = true
  })
  while (!done) {
    await send()
    await Promise.race([settled, pause(10)])
  }
  return settled
}

async function tryMulticast(): Promise<boolean> {
  const receiver = createSocket({ type: "udp4", reuseAddr: true })
  const sender = createSocket("udp4")
  try {
    receiver.bind(0)
    sender.bind(0)
    await Promise.all([once(receiver, "listening"), once(sender, "listening")])
    receiver.addMembership(GROUP, "127.0.0.1")
    sender.setMulticastInterface("127.0.0.1")
    let heard = false
    receiver.once("message", () => {
      heard = true
    })
    for (let tries = 0; tries < 20 && !heard; tries++) {
      sender.send("?", receiver.address().port, GROUP, () => {})
      await pause(10)
    }
    return heard
  } catch (error) {
    console.log(`multicast: ${(error as Error).message}`)
    return false
  } finally {
    receiver.close()
    sender.close()
  }
}

/**
 * `ipc://`: unix domain sockets. A path, `@name` in Linux's abstract namespace, or `*` to bind to a path of a fresh
 * folder. Binding takes a path over, as libzmq does: the socket is made under another name and moved into place, so
 * there is no moment without one, and an older owner that closes later does not take ours away.
 */
import { accessSync, constants, lstatSync, mkdtempSync, renameSync, rmSync, unlinkSync } from "node:fs"
import { createServer, type Server, Socket } from "node:net"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { ZmqError } from "../errors.js"
import { acceptOn, listenerOf, listening, listenOptions, NET_MARKS, NetStream } from "./net-stream.js"
import type { ByteStream, ListenEvents, Listener, Transport, TransportOptions } from "./transport.js"

/** Room for a path in sockaddr_un, without its end. */
const MAX_PATH = 107

let made = 0

/** The path as the operating system takes it: abstract names begin with a NUL. */
function pathOf(address: string): string {
  if (address === "@")
    throw new ZmqError("EINVAL", { address: `ipc://${address}`, detail: "expected a name after the @" })
  if (Buffer.byteLength(address) > MAX_PATH) {
    throw new ZmqError("ENAMETOOLONG", { address: `ipc://${address}`, detail: `expected at most ${MAX_PATH} bytes` })
  }
  return address.startsWith("@") ? `\0${address.slice(1)}` : address
}

function connect(address: string): ByteStream {
  const socket = new Socket(NET_MARKS)
  const stream = new NetStream(socket, () => ({ local: "", remote: `ipc://${address}` }))
  socket.connect({ path: pathOf(address) })
  return stream
}

async function listen(address: string, options: TransportOptions, on: ListenEvents): Promise<Listener> {
  const binding = prepare(address)
  const { server } = binding
  try {
    await listening(server, () => server.listen({ path: binding.place, ...listenOptions(options) }))
    return finish(binding, on)
  } catch (error) {
    throw undo(binding, error)
  }
}

/** Node listens at a path at once, and says so; only why it could not it tells later. */
function listenSync(address: string, options: TransportOptions, on: ListenEvents): Listener {
  const binding = prepare(address)
  const { server, place, abstract } = binding
  // What it tells later is told here already.
  const ignore = () => {}
  server.on("error", ignore)
  try {
    server.listen({ path: place, ...listenOptions(options) })
    if (!server.listening) {
      if (!abstract) accessSync(dirname(place), constants.W_OK)
      throw new ZmqError("EADDRINUSE")
    }
    server.off("error", ignore)
    return finish(binding, on)
  } catch (error) {
    throw undo(binding, error)
  }
}

/** A server on its way to a path. */
interface Binding {
  readonly address: string
  readonly server: Server
  /** The path with wildcards resolved, and as the operating system takes it. */
  readonly name: string
  readonly path: string
  readonly abstract: boolean
  /** Where it listens first. */
  readonly place: string
  /** The folder that was made for it. */
  readonly folder: string | null
}

function prepare(address: string): Binding {
  const folder = address === "*" ? mkdtempSync(join(tmpdir(), "peerlane-")) : null
  const name = folder === null ? address : join(folder, "socket")
  const path = pathOf(name)
  const abstract = path.startsWith("\0")
  try {
    if (!abstract) lstatSync(dirname(path))
  } catch (error) {
    throw ZmqError.from(error, `ipc://${address}`)
  }
  const place = abstract ? path : temporaryName(path)
  return { address, server: createServer({ highWaterMark: 1 }), name, path, abstract, place, folder }
}

function undo({ server, folder, address }: Binding, error: unknown): ZmqError {
  server.close()
  if (folder !== null) rmSync(folder, { recursive: true, force: true })
  return ZmqError.from(error, `ipc://${address}`)
}

function finish({ server, name, path, abstract, place, folder }: Binding, on: ListenEvents): Listener {
  const inode = abstract ? 0 : moveInto(place, path)
  const endpoint = `ipc://${name}`
  const ends = { local: endpoint, remote: endpoint }
  acceptOn(server, on, socket => new NetStream(socket, () => ends))
  return listenerOf(server, endpoint, () => {
    if (!abstract && socketInode(path) === inode) rmSync(path, { force: true })
    if (folder !== null) rmSync(folder, { recursive: true, force: true })
  })
}

/** A short name in the same folder, not longer than the path itself where that may matter. */
function temporaryName(path: string): string {
  const short = `.${(process.pid % 46656).toString(36)}${(made++ % 1296).toString(36)}`
  const name = join(dirname(path), short)
  return Buffer.byteLength(name) > MAX_PATH ? path : name
}

/** Moves a socket to its path, in place of an older socket; nothing else is replaced. Returns its inode. */
function moveInto(from: string, to: string): number {
  if (from !== to) {
    const stat = lstatSync(to, { throwIfNoEntry: false })
    if (stat !== undefined && !stat.isSocket()) {
      unlinkSync(from)
      throw new ZmqError("EADDRINUSE", { address: `ipc://${to}`, detail: `${basename(to)} is there and is no socket` })
    }
    renameSync(from, to)
  }
  return lstatSync(to).ino
}

function socketInode(path: string): number | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  return stat?.isSocket() ? stat.ino : undefined
}

export const ipc: Transport = { scheme: "ipc", check: pathOf, connect, listen, listenSync }

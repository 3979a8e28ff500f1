/**
 * Who owns a directory: a process that listens on the socket `lock.sock` in it. The system ends the listening with the process,
 * however that comes, so a lock cannot stay behind: a socket file that refuses connections belongs to nobody, and is taken over. Only
 * one may do that at a time, who has made the file `lock.takeover`, which itself belongs to nobody when it is old.
 *
 * The path of a socket has about a hundred bytes. On Linux a longer one is reached through an open handle of the directory. On Windows
 * there are named pipes instead, which go with their process.
 */
import { type FileHandle, open, realpath, rm, stat } from "node:fs/promises"
import { connect, createServer, type Server } from "node:net"
import type { DiskLock } from "./disk.js"
import { StoreError } from "./store-error.js"

const SOCKET = "lock.sock"
const TAKEOVER = "lock.takeover"
const PROBE = "lock.probe"
/** Bytes that a socket's path may have anywhere: the field has 104 on macOS and the BSDs, one of them a zero. */
const LONGEST_PATH = 103
/** A takeover takes milliseconds; one so old was not finished. */
const OLD = 10_000

/** EBUSY when a process has it that lives, this one included. */
export async function lockDirectory(directory: string): Promise<DiskLock> {
  const real = await realpath(directory)
  const place = await placeOf(real)
  try {
    const server = await take(real, place.path)
    return {
      async unlock() {
        // Closing removes the file, for which the place must still be there.
        await new Promise<void>(done => server.close(() => done()))
        await place.handle?.close()
      },
    }
  } catch (error) {
    await place.handle?.close()
    throw error
  }
}

interface SocketPlace {
  readonly path: string
  /** Of the directory, when the path leads through it. */
  readonly handle: FileHandle | null
}

async function placeOf(directory: string): Promise<SocketPlace> {
  const path = `${directory}/${SOCKET}`
  if (process.platform === "win32") return { path: pipeOf(directory), handle: null }
  if (Buffer.byteLength(path) <= LONGEST_PATH) return { path, handle: null }
  if (process.platform === "linux") {
    const handle = await open(directory, "r")
    return { path: `/proc/self/fd/${handle.fd}/${SOCKET}`, handle }
  }
  const text = `its path is too long for a lock: with /${SOCKET} it may have ${LONGEST_PATH} bytes`
  throw new StoreError("EINVAL", text, { file: directory })
}

/** The name of a pipe has no backslashes, and no case. */
function pipeOf(directory: string): string {
  return `\\\\.\\pipe\\peerlane-store-${directory.toLowerCase().replaceAll("\\", "/")}`
}

async function take(directory: string, path: string): Promise<Server> {
  const server = await listen(path)
  if (server !== null) return server
  if (process.platform === "win32" || (await isAnswered(path))) throw busy(directory)
  return takeOver(directory, path)
}

async function takeOver(directory: string, path: string): Promise<Server> {
  const guard = `${directory}/${TAKEOVER}`
  const handle = await guardOf(directory, guard)
  try {
    // Somebody may have taken it over before the guard was ours.
    if (await isAnswered(path)) throw busy(directory)
    await rm(path, { force: true })
    const server = await listen(path)
    if (server === null) throw busy(directory)
    return server
  } finally {
    await handle.close()
    await rm(guard, { force: true })
  }
}

/** EBUSY while somebody else has it. */
async function guardOf(directory: string, guard: string): Promise<FileHandle> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      return await open(guard, "wx")
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error
    }
    if (attempt === 0 && (await ageOf(directory, guard)) > OLD) await rm(guard, { force: true })
  }
  throw busy(directory)
}

/** How old a file is, in milliseconds, by the clock of its file system, which a new file shows. */
async function ageOf(directory: string, path: string): Promise<number> {
  const probe = `${directory}/${PROBE}.${process.pid}`
  const handle = await open(probe, "w")
  try {
    const now = (await handle.stat()).mtimeMs
    return now - (await stat(path)).mtimeMs
  } catch (error) {
    if (codeOf(error) === "ENOENT") return 0
    throw error
  } finally {
    await handle.close()
    await rm(probe, { force: true })
  }
}

/** Null: the file is there. Does not keep the process alive. */
function listen(path: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer(socket => socket.destroy())
    server.once("error", error => (codeOf(error) === "EADDRINUSE" ? resolve(null) : reject(error)))
    // Exclusive: in a cluster the workers would otherwise share it.
    server.listen({ path, exclusive: true }, () => {
      server.unref()
      resolve(server)
    })
  })
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once("connect", () => {
      socket.destroy()
      resolve(true)
    })
    socket.once("error", error => {
      const code = codeOf(error)
      if (code === "ECONNREFUSED" || code === "ENOENT") resolve(false)
      // A queue of connections that is full is somebody's.
      else if (code === "EAGAIN") resolve(true)
      else reject(error)
    })
  })
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code
const busy = (directory: string) => new StoreError("EBUSY", "another process has the store", { file: directory })

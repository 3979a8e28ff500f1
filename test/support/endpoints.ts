/**
 * Endpoints for tests: ephemeral loopback ports, socket files in a temporary folder, unique inproc names. `freshEndpoint`
 * is for the side that binds (read `lastEndpoint` afterwards); `reservedEndpoint` is a concrete address for tests that
 * connect before anybody is bound there.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"

export type Transport = "tcp" | "ipc" | "inproc"

/** The transports that every pattern is tested over. */
export const transports: readonly Transport[] = ["tcp", "ipc", "inproc"]

/** Those with a connection under them: handshakes, disconnects and reconnects exist only there. */
export const wired: readonly Transport[] = ["tcp", "ipc"]

let folder: string | undefined
let serial = 0

afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true })
  folder = undefined
})

/** A path for a socket file that no one else uses. */
export function freshPath(): string {
  folder ??= mkdtempSync(join(tmpdir(), "peerlane-"))
  serial += 1
  return join(folder, `${serial}.sock`)
}

/** An address to bind; for tcp with the port left open. */
export function freshEndpoint(transport: Transport): string {
  serial += 1
  if (transport === "tcp") return "tcp://127.0.0.1:*"
  return transport === "ipc" ? `ipc://${freshPath()}` : `inproc://spec-${serial}`
}

/** An address to connect to now and bind later. */
export async function reservedEndpoint(transport: Transport): Promise<string> {
  return transport === "tcp" ? `tcp://127.0.0.1:${await freePort()}` : freshEndpoint(transport)
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}

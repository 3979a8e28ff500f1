/** A Redis of its own for each run, in an empty folder, so that no run has the log of another one to carry. */

import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { freePort, start } from "./server.js"

const startLimitMs = 10_000

/** The version of the one that is installed; throws when none is. */
export function redisVersion(): string {
  return /v=(\S+)/.exec(execFileSync("redis-server", ["--version"], { encoding: "utf8" }))?.[1] ?? "unknown"
}

/** Runs `body` with a Redis; it is gone behind it. */
export async function withRedis<T>(
  root: string,
  durable: boolean,
  body: (port: number, pid: number) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(root, "redis-"))
  const port = await freePort()
  // A rewrite of the log in the middle of a run would be a handicap of chance.
  const log = durable
    ? ["--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0"]
    : ["--appendonly", "no"]
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", ...log]
  const server = start("redis-server", "redis-server", args)
  try {
    await server.listening(port, startLimitMs)
    return await body(port, server.pid)
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

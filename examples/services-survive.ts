/**
 * Calls that survive `kill -9`: three processes serve the same methods, and this one calls them, hundreds at a time. One of
 * them is killed in the midst of it, another one is drained, ends and is started again. No call fails.
 *
 *   main (250 callers, 10 readers of streams) ──> 3 servers
 *
 * What was with the server that was killed is called again elsewhere, since it says that it does no harm twice: `safe`. A stream of
 * which something has come cannot begin again by itself; its reader asks for what is missing.
 */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as passed } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { connect, type ServiceError, serve } from "peerlane/service"

const CALLERS = 250
const READERS = 10
const ITEMS = 100 // of each stream
const ENOUGH = 2000 // calls that end before the next thing happens

const numbers = {
  async square(n: number) {
    await passed(5)
    return { squared: n * n, by: process.pid }
  },
  async *from({ first, last }: { first: number; last: number }) {
    for (let n = first; n <= last; n++) {
      await passed(5)
      yield n
    }
  },
}

const [address] = process.argv.slice(2)
await (address === undefined ? main() : server(address))

async function server(address: string): Promise<void> {
  const made = await serve(numbers, { bind: address, heartbeat: 200 }) // who is killed is missed after three of them
  process.on("disconnect", () => process.exit())
  process.on("message", async () => {
    await made.drain()
    await made.close()
    process.exit()
  })
  process.send!("ready")
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "services-survive-"))
  const addresses = ["one", "two", "three"].map(name => `ipc://${join(folder, name)}`) // the same when started again
  const servers: ChildProcess[] = []
  const api = connect<typeof numbers>({ to: addresses })
  const ended = new Map<number, number>() // calls, by the process that has answered
  const counts = { calls: 0, items: 0, resumed: 0, failed: 0 }
  let isOver = false

  async function start(place: number): Promise<void> {
    const child = fork(fileURLToPath(import.meta.url), [addresses[place]!])
    servers[place] = child
    const [what] = await Promise.race([once(child, "message"), once(child, "exit")])
    if (what !== "ready") throw new Error(`a server ended with ${what}`)
  }

  async function end(child: ChildProcess, how: () => void): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, "exit")
    how()
    await exit
  }

  async function call(): Promise<void> {
    while (!isOver) {
      const n = counts.calls++
      try {
        const { squared, by } = await api.square(n, { safe: true })
        if (squared !== n * n) throw new Error(`${n} squared is not ${squared}`)
        ended.set(by, (ended.get(by) ?? 0) + 1)
      } catch (error) {
        counts.failed++
        console.error(error)
      }
    }
  }

  async function read(): Promise<void> {
    while (!isOver) {
      let last = 0
      while (last < ITEMS) {
        try {
          for await (const n of api.from({ first: last + 1, last: ITEMS }, { safe: true })) {
            if (n !== last + 1) throw new Error(`${n} came after ${last}`)
            last = n
            counts.items++
          }
        } catch (error) {
          if ((error as ServiceError).code === "ELOST") counts.resumed++
          else throw error
        }
      }
    }
  }

  /** Resolves when so many calls more have ended, by this server or by any. */
  async function enough(by?: number): Promise<void> {
    const total = () => (by === undefined ? [...ended.values()].reduce((a, b) => a + b, 0) : (ended.get(by) ?? 0))
    const wanted = total() + ENOUGH
    while (!isOver && total() < wanted) await passed(10)
  }

  try {
    await Promise.all([0, 1, 2].map(start))
    while (api.$.stats().servers < 3) await passed(10)
    const load = Promise.all([...Array.from({ length: CALLERS }, call), ...Array.from({ length: READERS }, read)])
    await Promise.race([load, enough()])
    await end(servers[0]!, () => servers[0]!.kill("SIGKILL"))
    await Promise.race([load, enough()])
    await end(servers[1]!, () => servers[1]!.send("drain"))
    await Promise.race([load, enough()])
    await start(1)
    await Promise.race([load, enough(servers[1]!.pid)])
    isOver = true
    await load

    const { retries } = api.$.stats()
    console.log("3 servers: one was killed by SIGKILL, one was drained and started again")
    console.log(`${counts.calls} calls, ${retries} tried again, ${counts.failed} failed`)
    console.log(`${counts.items} items of streams, none twice and none missing; streams resumed: ${counts.resumed}`)
    if (counts.failed > 0) process.exitCode = 1
  } finally {
    isOver = true
    await api.$.close()
    await Promise.all(servers.map(child => end(child, () => child.kill("SIGKILL"))))
    rmSync(folder, { recursive: true, force: true })
  }
}

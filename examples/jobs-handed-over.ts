/**
 * Producers that do not live long: each makes some jobs, hands them to the producer that holds the queue, and ends. The queue
 * has them on its disk by then, and a worker gets to them later; its handler never does one twice.
 *
 *   three programs that end (Producer, connect) ──> queue in a folder (Producer, bind) ──> worker (Consumer, Inbox)
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Consumer, Inbox, Producer } from "peerlane/pipeline"

interface Mail {
  to: string
  text: string
}

const [, , address, name] = process.argv

if (address !== undefined) {
  // One of the programs that end.
  await using mails = new Producer<Mail>({ connect: address })
  for (const to of ["ann", "bob"]) await mails.send({ to, text: `from ${name}` }, { id: `${name}-${to}` })
} else {
  const folder = mkdtempSync(join(tmpdir(), "jobs-handed-over-"))
  try {
    await using mails = new Producer<Mail>({ bind: "tcp://127.0.0.1:*", store: join(folder, "queue") })
    await mails.ready()

    const programs = ["one", "two", "three"].map(name =>
      spawn(process.execPath, [fileURLToPath(import.meta.url), mails.lastEndpoint!, name], { stdio: "inherit" }),
    )
    await Promise.all(programs.map(program => once(program, "close")))
    console.log(`all three have ended, and the queue has ${mails.stats().ready} jobs`)

    await using seen = new Inbox({ store: join(folder, "seen") })
    await using worker = new Consumer<Mail>({ connect: mails.lastEndpoint! })
    const sent: string[] = []
    void worker.run(seen.once(({ to, text }) => void sent.push(`${to}: ${text}`)))
    await mails.drain({ timeout: 30_000 })
    console.log(sent.sort().join("\n"))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

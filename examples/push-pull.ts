/**
 * PUSH/PULL: work is shared out over whoever is there, and the results are gathered again.
 *
 *   tasks (PUSH) ──> three workers (PULL, PUSH) ──> squares (PULL)
 *
 * A PUSH deals its messages out in turn to the peers that can take one, and waits when none can.
 */
import { Pull, Push } from "peerlane"

await using tasks = new Push()
await using squares = new Pull()
await tasks.bind("tcp://127.0.0.1:*")
await squares.bind("tcp://127.0.0.1:*")

async function work(name: string, inbox: Pull): Promise<void> {
  await using outbox = new Push()
  inbox.connect(tasks.lastEndpoint!)
  outbox.connect(squares.lastEndpoint!)
  for await (const [task] of inbox) await outbox.send([name, String(Number(task) ** 2)])
}

const names = ["ann", "bob", "cyd"]
const inboxes = names.map(() => new Pull())
const working = inboxes.map((inbox, i) => work(names[i]!, inbox))

// Without this wait the first worker to connect would get most of the tasks.
await tasks.ready({ peers: names.length, timeout: 10_000 })
for (let task = 1; task <= 9; task++) await tasks.send(String(task))

let sum = 0
const shares = new Map<string, number>()
for (let i = 0; i < 9; i++) {
  const [name, square] = await squares.receive({ timeout: 10_000 })
  shares.set(String(name), (shares.get(String(name)) ?? 0) + 1)
  sum += Number(square)
}

for (const name of names) console.log(`${name} squared ${shares.get(name)} numbers`)
console.log(`1² + 2² + … + 9² = ${sum}`)

// Closing a socket ends the `for await` over it, and so the worker.
for (const inbox of inboxes) await inbox.close()
await Promise.all(working)

/**
 * REQ/REP: one question, one answer, in lockstep.
 *
 * The second half shows a server that does not answer in time. With `relaxed` the client may ask again without
 * having been answered; with `correlate` it never takes the late answer to the first question for the second one's.
 */
import { Reply, Request } from "peerlane"

await using server = new Reply()
await server.bind("tcp://127.0.0.1:*")

let wakeUp = () => {}
const awake = new Promise<void>(resolve => {
  wakeUp = resolve
})

async function serve(): Promise<void> {
  for await (const [question] of server) {
    if (String(question) === "are you asleep?") await awake
    await server.send(`"${question}" has ${String(question).length} characters`)
  }
}
const serving = serve()

await using client = new Request({ relaxed: true, correlate: true })
client.connect(server.lastEndpoint!)

async function ask(question: string, timeout: number): Promise<void> {
  await client.send(question)
  try {
    const [answer] = await client.receive({ timeout })
    console.log(`answer: ${answer}`)
  } catch (error) {
    const { code } = error as { code?: string }
    if (code !== "EAGAIN") throw error
    console.log(`no answer to "${question}" in ${timeout} ms (${code})`)
  }
}

await ask("how long is this?", 10_000)
await ask("are you asleep?", 200)
wakeUp()
await ask("and now?", 10_000)

await server.close()
await serving

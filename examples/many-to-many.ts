/**
 * Many clients to many servers through a Router.
 *
 *   clients (REQ) ──> front (ROUTER) | back (DEALER) ──> servers (REP)
 *
 * The middle knows neither side: both connect to it, and come and go as they like. The ROUTER puts the client's
 * routing id in front of each request, the servers send it back with the answer, and so each client gets its own.
 */
import { Dealer, Reply, Request, Router, type Socket } from "peerlane"

await using front = new Router()
await using back = new Dealer()
await front.bind("tcp://127.0.0.1:*")
await back.bind("tcp://127.0.0.1:*")

async function pump(from: Router | Dealer, to: Router | Dealer): Promise<void> {
  for await (const message of from) await to.send(message)
}

async function serve(socket: Reply): Promise<number> {
  let answered = 0
  socket.connect(back.lastEndpoint!)
  for await (const [question] of socket) {
    await socket.send(String(question).toUpperCase())
    answered++
  }
  return answered
}

async function ask(name: string): Promise<string[]> {
  await using socket = new Request()
  socket.connect(front.lastEndpoint!)
  const answers: string[] = []
  for (const word of ["one", "two", "three"]) {
    await socket.send(`${name} ${word}`)
    const [answer] = await socket.receive({ timeout: 10_000 })
    answers.push(String(answer))
  }
  return answers
}

const servers = [new Reply(), new Reply(), new Reply()]
const serving = servers.map(serve)
await back.ready({ peers: servers.length, timeout: 10_000 })
const pumping = [pump(front, back), pump(back, front)]

const clients = ["ann", "bob", "cyd", "dan"]
const answers = await Promise.all(clients.map(ask))
for (const [i, name] of clients.entries()) console.log(`${name} was told ${answers[i]!.join(", ")}`)

const everything: Socket[] = [front, back, ...servers]
await Promise.all(everything.map(socket => socket.close()))
console.log(`the servers answered ${(await Promise.all(serving)).join(", ")} questions`)
await Promise.all(pumping)

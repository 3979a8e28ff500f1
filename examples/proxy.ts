/**
 * A queue: clients on one side, workers on the other, and a proxy between them. Clients and workers know one address each,
 * come and go as they like, and never learn of each other.
 *
 * The ROUTER takes the questions and remembers who asked, the DEALER hands each one to the next worker that has room, and
 * the answers go back the same way. The proxy takes no question before some worker has room for it.
 */
import { Dealer, Proxy, Publisher, Reply, Request, Router, Subscriber } from "peerlane"

// What passes is published as well, for whoever wants to look.
await using tap = new Publisher()
await tap.bind("inproc://tap")
await using watcher = new Subscriber()
watcher.connect("inproc://tap")
watcher.subscribe()
await tap.waitForSubscribers()

const proxy = new Proxy(new Router(), new Dealer(), tap)
await proxy.frontEnd.bind("tcp://127.0.0.1:*")
await proxy.backEnd.bind("tcp://127.0.0.1:*")
const running = proxy.run()

async function work(worker: Reply): Promise<void> {
  worker.connect(proxy.backEnd.lastEndpoint!)
  for await (const [name, number] of worker) {
    await worker.send(`${String(name)}: ${number}² is ${Number(number) ** 2}`)
  }
}

async function ask(name: string): Promise<string[]> {
  await using client = new Request()
  client.connect(proxy.frontEnd.lastEndpoint!)
  const answers: string[] = []
  for (const number of [1, 2, 3]) {
    await client.send([name, String(number)])
    const [answer] = await client.receive({ timeout: 10_000 })
    answers.push(String(answer))
  }
  return answers
}

const workers = [new Reply(), new Reply()]
const working = workers.map(work)
const answers = await Promise.all(["ann", "bob", "cyd"].map(ask))
for (const line of answers.flat()) console.log(line)

const { frontEnd, backEnd } = proxy.statistics()
console.log(`questions: ${frontEnd.messagesIn} in, ${backEnd.messagesOut} out`)
console.log(`answers: ${backEnd.messagesIn} in, ${frontEnd.messagesOut} out`)
let seen = 0
while (watcher.tryReceive() !== null) seen++
console.log(`seen at the tap: ${seen}`)

proxy.terminate()
await running
await Promise.all(workers.map(worker => worker.close()))
await Promise.all(working)
console.log(`front-end closed: ${proxy.frontEnd.closed}, back-end closed: ${proxy.backEnd.closed}`)

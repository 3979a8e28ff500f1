/**
 * A proxy between clients and workers that do not know of each other, which ends when it is told to.
 *
 *   clients (REQ) ──> ROUTER | DEALER ──> workers (REP)
 */
import { Dealer, Proxy, Reply, Request, Router } from "peerlane"

const sum = (text: string) => text.split("+").reduce((total, number) => total + Number(number), 0)

async function work(worker: Reply) {
  let done = 0
  for await (const [question] of worker) {
    await worker.send([question!, String(sum(question!.toString()))])
    done++
  }
  return done
}

async function ask(address: string, questions: string[]) {
  const client = new Request({ receiveTimeout: 10_000 })
  client.connect(address)
  const answers: string[] = []
  for (const text of questions) {
    await client.send(text)
    const [question, answer] = await client.receive()
    answers.push(`${question}=${answer}`)
  }
  client.close()
  return answers
}

async function main() {
  const proxy = new Proxy(new Router(), new Dealer())
  await proxy.frontEnd.bind("tcp://127.0.0.1:*")
  await proxy.backEnd.bind("tcp://127.0.0.1:*")
  // Where they are has to be asked before the proxy has them.
  const front = proxy.frontEnd.lastEndpoint!
  const back = proxy.backEnd.lastEndpoint!

  const running = proxy.run().then(() => console.log("the proxy has ended"))

  const workers = [new Reply(), new Reply(), new Reply()]
  const working = workers.map(worker => {
    worker.connect(back)
    return work(worker)
  })

  const clients = await Promise.all([
    ask(front, ["1+1", "2+2", "3+3"]),
    ask(front, ["1+2+3", "10+20+30"]),
    ask(front, ["7+0", "8+0", "9+0", "10+0"]),
    ask(front, []),
  ])
  for (const answers of clients) console.log(answers.length > 0 ? answers.join(" ") : "nothing to ask")

  proxy.terminate()
  await running
  console.log("closed:", proxy.frontEnd.closed, proxy.backEnd.closed)

  for (const worker of workers) worker.close()
  const done = await Promise.all(working)
  console.log(`${done.reduce((all, one) => all + one)} questions were answered`)
}

await main()

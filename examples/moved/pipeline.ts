/**
 * Divide and conquer: tasks go to workers in turn, results to one sink, and the sink sends everybody home.
 *
 *   ventilator (PUSH) ──> workers (PULL, PUSH) ──> sink (PULL)          sink (PUB) ──> workers (SUB)
 */
import zmq from "peerlane"

const TASKS = 99
const WORKERS = 3

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false
  return number > 1
}

/** Resolves when so many peers are there. */
function peers(socket: zmq.Socket, count: number): Promise<void> {
  return new Promise(resolve => {
    let there = 0
    socket.events.on("handshake", () => {
      if (++there === count) resolve()
    })
  })
}

async function work(name: string, from: string, to: string, control: string): Promise<void> {
  const tasks = new zmq.Pull()
  const results = new zmq.Push()
  const orders = new zmq.Subscriber()
  tasks.connect(from)
  results.connect(to)
  orders.connect(control)
  orders.subscribe("stop")

  const working = (async () => {
    for await (const [task] of tasks) await results.send([name, task!, isPrime(Number(task)) ? "prime" : ""])
  })()
  await orders.receive()
  tasks.close() // ends the loop
  await working
  results.close()
  orders.close()
}

async function main() {
  const ventilator = new zmq.Push()
  const sink = new zmq.Pull()
  const control = new zmq.XPublisher({ verbosity: "allSubs" })
  for (const socket of [ventilator, sink, control]) await socket.bind("tcp://127.0.0.1:*")

  // Tasks are dealt to those who are there, so all should be.
  const ready = peers(ventilator, WORKERS)
  const workers = Array.from({ length: WORKERS }, (_, index) =>
    work(`worker ${index + 1}`, ventilator.lastEndpoint!, sink.lastEndpoint!, control.lastEndpoint!),
  )
  await ready
  for (const _ of workers) {
    const [subscription] = await control.receive()
    console.log("a worker listens for:", subscription!.subarray(1).toString())
  }

  const dealing = (async () => {
    for (let task = 1; task <= TASKS; task++) await ventilator.send(task)
  })()

  const shares = new Map<string, number>()
  const primes: number[] = []
  let results = 0
  for await (const [name, task, verdict] of sink) {
    const worker = name!.toString()
    shares.set(worker, (shares.get(worker) ?? 0) + 1)
    if (verdict!.length > 0) primes.push(Number(task))
    if (++results === TASKS) break
  }
  await dealing
  console.log(`${results} tasks, of which primes:`, primes.sort((a, b) => a - b).join(" "))
  for (const [worker, share] of [...shares].sort()) console.log(`${worker} did ${share}`)

  await control.send("stop")
  await Promise.all(workers)
  for (const socket of [ventilator, sink, control]) socket.close()
}

await main()

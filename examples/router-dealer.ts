/**
 * ROUTER/DEALER: many questions on the way at once, answered in whatever order suits.
 *
 * A DEALER may send again before it is answered. A ROUTER puts the sender's routing id in front of each message it
 * receives, and takes the first frame of what it sends as the id of the peer to send to: so it can answer later,
 * in another order, and each answer finds its way.
 */
import { Dealer, Router } from "peerlane"

await using kitchen = new Router({ mandatory: true }) // a send to an unknown id is an error, not dropped
await kitchen.bind("tcp://127.0.0.1:*")

async function order(table: string, dishes: Record<string, number>): Promise<string[]> {
  await using waiter = new Dealer({ routingId: table })
  waiter.connect(kitchen.lastEndpoint!)
  for (const [dish, minutes] of Object.entries(dishes)) await waiter.send([dish, String(minutes)])
  const served: string[] = []
  while (served.length < Object.keys(dishes).length) {
    const [dish] = await waiter.receive({ timeout: 10_000 })
    served.push(String(dish))
  }
  return served
}

const tables = {
  window: order("window", { roast: 90, soup: 10, pasta: 15 }),
  garden: order("garden", { salad: 5, pie: 40, soup: 10 }),
}

const orders: { table: string; dish: string; minutes: number }[] = []
while (orders.length < 6) {
  const [table, dish, minutes] = await kitchen.receive({ timeout: 10_000 })
  orders.push({ table: String(table), dish: String(dish), minutes: Number(minutes) })
}

orders.sort((a, b) => a.minutes - b.minutes)
for (const { table, dish } of orders) await kitchen.send([table, dish])

for (const [table, served] of Object.entries(tables)) console.log(`${table}: ${(await served).join(", ")}`)

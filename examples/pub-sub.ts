/**
 * PUB/SUB: every subscriber gets every message whose first frame starts with something it subscribed to.
 *
 * A PUB drops what nobody subscribed to, so what is published before a subscription has arrived is lost to it.
 * `waitForSubscribers` is the remedy: it resolves once the subscriptions are there, and no sleep has to be guessed.
 */
import { Publisher, Subscriber } from "peerlane"

await using news = new Publisher()
await news.bind("tcp://127.0.0.1:*")

/** Collects what comes for these topics until the publisher says "end". */
async function read(...topics: string[]): Promise<string[]> {
  await using reader = new Subscriber()
  reader.subscribe(...topics, "end")
  reader.connect(news.lastEndpoint!)
  const heard: string[] = []
  for await (const [topic, text] of reader) {
    if (String(topic) === "end") break
    heard.push(`${topic}: ${text}`)
  }
  return heard
}

const readers = { everybody: read(""), sports: read("sport"), norway: read("weather.oslo", "weather.bergen") }

// "end" is each reader's last subscription: once it is here, so are the ones before it.
await news.waitForSubscribers("end", 3, { timeout: 10_000 })

await news.send(["weather.oslo", "snow"])
await news.send(["weather.paris", "sun"])
await news.send(["sport.chess", "draw"])
await news.send(["weather.bergen", "rain"])
await news.send(["sport.rowing", "photo finish"])
await news.send(["end"])

for (const [name, heard] of Object.entries(readers)) console.log(`${name} heard ${(await heard).join(", ")}`)

/**
 * Readers of a news agency: by topic, by what topics begin with, everything, and with a change of mind on the way.
 *
 *   agency (PUB) ──> readers (SUB)          readers (PUSH) ──> desk (PULL)
 *
 * What is published before a subscription is there is lost, so readers tell the desk once they hear the agency's call.
 * Subscriptions keep their order: whoever hears the call has every subscription that was made before it.
 */
import * as zmq from "peerlane"

class Agency {
  private readonly news = new zmq.Publisher()
  private readonly desk = new zmq.Pull()

  async open() {
    await this.news.bind("tcp://127.0.0.1:*")
    await this.desk.bind("tcp://127.0.0.1:*")
    return { news: this.news.lastEndpoint!, desk: this.desk.lastEndpoint! }
  }

  /** Calls until so many readers have answered this call. */
  async call(name: string, readers: number) {
    const timer = setInterval(() => void this.news.send([`call ${name}`]), 10)
    const answered = new Set<string>()
    for await (const [call, reader] of this.desk) {
      if (call!.toString() === `call ${name}`) answered.add(reader!.toString())
      if (answered.size === readers) break
    }
    clearInterval(timer)
  }

  async publish(...topics: (string | Buffer)[]) {
    for (const [number, topic] of topics.entries()) await this.news.send([topic, String(number + 1), "the text"])
  }

  close() {
    this.news.close()
    this.desk.close()
  }
}

class Reader {
  private readonly news = new zmq.Subscriber()
  private readonly desk = new zmq.Push()
  private readonly heard: string[] = []

  constructor(
    readonly name: string,
    where: { news: string; desk: string },
  ) {
    this.news.connect(where.news)
    this.desk.connect(where.desk)
  }

  subscribe(...topics: (string | Buffer)[]) {
    this.news.subscribe(...topics)
  }

  unsubscribe(...topics: (string | Buffer)[]) {
    this.news.unsubscribe(...topics)
  }

  expect(call: string) {
    this.news.subscribe(`call ${call}`)
  }

  /** Reads until the last news; answers each call once. */
  async read() {
    const calls = new Set<string>()
    for await (const [topic, number] of this.news) {
      const text = topic!.toString("latin1")
      if (text === "last") break
      if (!text.startsWith("call ")) {
        this.heard.push(`${text}/${number}`)
      } else if (!calls.has(text)) {
        calls.add(text)
        await this.desk.send([text, this.name])
      }
    }
    this.news.close()
    this.desk.close()
    return this.heard
  }
}

async function main() {
  const agency = new Agency()
  const where = await agency.open()

  const all = new Reader("all", where)
  all.subscribe()
  const sports = new Reader("sports", where)
  sports.subscribe("sport.", "sport.chess", "last")
  const picky = new Reader("picky", where)
  picky.subscribe("sport.chess.", Buffer.from([0xff, 0x01]), "last")
  const fickle = new Reader("fickle", where)
  fickle.subscribe("weather", "weather", "sport", "last")

  const readers = [all, sports, picky, fickle]
  for (const call of ["morning", "lunch", "tea"]) for (const reader of readers) reader.expect(call)
  const reading = readers.map(reader => reader.read())
  await agency.call("morning", readers.length)

  await agency.publish("sport.chess.blitz", "sport", "weather", "weather.oslo", "sport.rowing", "Sport.golf", "")
  await agency.publish(Buffer.from([0xff, 0x01, 0x02]), Buffer.from([0xff, 0x02]))

  // Whoever answers has read all that was before. It asked for the weather twice, so it takes two to lose that.
  await agency.call("lunch", readers.length)
  fickle.unsubscribe("weather")
  fickle.unsubscribe("sport")
  fickle.expect("noon")
  all.expect("noon")
  await agency.call("noon", 2)
  await agency.publish("weather.rome", "sport.tennis", "weather.bergen")

  await agency.call("tea", readers.length)
  fickle.unsubscribe("weather", "never had")
  fickle.expect("evening")
  await agency.call("evening", 2)
  await agency.publish("weather.paris", "sport.darts", "last")

  const heard = await Promise.all(reading)
  for (const [index, reader] of readers.entries()) {
    console.log(`${reader.name} heard ${heard[index]!.map(text => JSON.stringify(text)).join(" ")}`)
  }
  agency.close()
}

await main()

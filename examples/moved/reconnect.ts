/**
 * What a socket tells of its connections: one side iterates over its events, the other has listeners for them. The server
 * goes away twice and comes back at the same address; the client connects again by itself, and loses nothing that it sent
 * while nobody was there.
 */
import * as zmq from "peerlane"

/** Notes the events of a socket; those of an attempt that fails only once, however often it fails. */
async function watch(socket: zmq.Socket, noted: string[]) {
  for await (const event of socket.events) {
    switch (event.type) {
      case "connect":
      case "handshake":
      case "disconnect":
      case "end":
        noted.push(event.type)
        break
      case "connect:retry":
        if (event.interval < 10 || event.interval > 40) noted.push(`an odd interval of ${event.interval}`)
        if (noted.at(-1) !== "retry") noted.push("retry")
        break
      case "close":
      case "connect:delay":
        break
      default:
        noted.push(`unexpected: ${event.type}`)
    }
  }
}

/** A server with a listener for each of its events. Gone is when its address is free. */
function openServer(noted: string[]) {
  const socket = new zmq.Pull({ receiveTimeout: 10_000 })
  for (const type of ["bind", "accept", "handshake", "disconnect", "close", "end"] as const) {
    socket.events.on(type, event => noted.push(event.type))
  }
  const gone = new Promise<void>(resolve => socket.events.on("close", () => resolve()))
  return { socket, gone }
}

async function main() {
  const client = new zmq.Push({ reconnectInterval: 20, reconnectMaxInterval: 40 })
  const seen: string[] = []
  const watching = watch(client, seen)
  const until = async (type: string) => {
    while (seen.at(-1) !== type) await new Promise(resolve => setTimeout(resolve, 2))
  }

  let address = "tcp://127.0.0.1:*"
  for (const round of ["first", "second", "third"]) {
    const noted: string[] = []
    const server = openServer(noted)
    await server.socket.bind(address)
    if (round === "first") {
      address = server.socket.lastEndpoint!
      client.connect(address)
      await client.send("the first message")
    }
    console.log(`${round} server received:`, (await server.socket.receive()).toString())
    await until("handshake")
    await client.send(`sent in the ${round} round`)
    console.log(`${round} server received:`, (await server.socket.receive()).toString())

    server.socket.close()
    await server.gone
    await until("retry")
    if (round !== "third") await client.send(`sent after the ${round} round`)
    console.log(`${round} server:`, noted.slice(0, 3).join(" "))
  }

  client.close()
  await watching
  console.log("the client:", seen.join(" "))
}

await main()

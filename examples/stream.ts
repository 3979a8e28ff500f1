/**
 * STREAM: bytes to and from programs that know nothing of ZeroMQ, here a small web server.
 *
 * What is received is the routing id of a connection and a piece of what came by it, cut anywhere, so requests are put
 * together here. An empty piece says that the client is there, or has gone. What is sent begins with the routing id, too,
 * and an empty piece ends the connection when all before is written.
 */
import { get } from "node:http"
import { Stream } from "peerlane"

await using server = new Stream()
await server.bind("tcp://127.0.0.1:*")

async function serve(): Promise<void> {
  const requests = new Map<string, string>() // what has come of each, by the routing id of its connection
  for await (const [id, piece] of server) {
    const client = id.toString("hex")
    const known = requests.get(client)
    if (piece.length === 0) {
      console.log(known === undefined ? "server: a client is there" : "server: a client has gone")
      if (known === undefined) requests.set(client, "")
      else requests.delete(client)
      continue
    }
    const request = (known ?? "") + piece.toString("latin1")
    requests.set(client, request)
    if (!request.endsWith("\r\n\r\n")) continue
    const [line] = request.split("\r\n")
    console.log(`server: ${line}`)
    const body = `you asked for ${line!.split(" ")[1]}\n`
    await server.send([id, `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`])
    await server.send([id, null])
    requests.delete(client)
  }
}

function ask(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(server.lastEndpoint!)
    const request = get({ host: "127.0.0.1", port, path, agent: false }, async response => {
      let answer = ""
      for await (const text of response.setEncoding("utf8")) answer += text
      resolve(`${response.statusCode} ${answer.trim()}`)
    })
    request.on("error", reject)
  })
}

const serving = serve()
for (const path of ["/tea", "/biscuits"]) console.log(`client: ${await ask(path)}`)
await server.close()
await serving // its loop ends with the socket

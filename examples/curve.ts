/**
 * Two machines that know each other by their keys, and a stranger. Each machine is a process of its own with a folder of its own;
 * what is carried from one to the other, by a way that nobody can tamper with, is public certificates, and nothing else.
 *
 *   administrator: makes the keys     server/ server.cert_secret, clients/ann.cert     ann/ ann.cert_secret, server.cert
 */
import { fork } from "node:child_process"
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Reply, Request } from "peerlane"
import { createCertificate, loadCertificate, loadCertificates, saveCertificate } from "peerlane/certs"

const [, , role, folder = "", endpoint = ""] = process.argv

async function administrator(): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "peerlane-curve-"))
  try {
    for (const name of ["server", "server/clients", "ann", "stranger"]) await mkdir(join(root, name))
    // Each machine makes its own keys, so that no secret ever travels.
    for (const name of ["server", "ann", "stranger"]) {
      await saveCertificate(join(root, name, `${name}.cert`), createCertificate({ metadata: { name } }))
    }
    // The server is told of ann, and of nobody else. The stranger got hold of the server's public key, which is no secret.
    await copyFile(join(root, "ann/ann.cert"), join(root, "server/clients/ann.cert"))
    for (const name of ["ann", "stranger"])
      await copyFile(join(root, "server/server.cert"), join(root, name, "server.cert"))
    console.log("administrator: made the keys, and carried the public ones")

    const server = start("server", join(root, "server"))
    const address = await new Promise<string>(resolve => server.process.once("message", at => resolve(String(at))))
    for (const name of ["ann", "stranger"]) await start(name, join(root, name), address).ended
    server.process.send("enough")
    await server.ended
  } finally {
    await rm(root, { recursive: true })
  }
}

function start(name: string, home: string, address = "") {
  const child = fork(fileURLToPath(import.meta.url), [name, home, address])
  const ended = new Promise<void>((resolve, reject) => {
    child.once("exit", code => (code === 0 ? resolve() : reject(new Error(`${name} ended with ${code}`))))
  })
  return { process: child, ended }
}

async function serve(): Promise<void> {
  const { secretKey } = await loadCertificate(join(folder, "server.cert"))
  const users = new Map(
    (await loadCertificates(join(folder, "clients"))).map(cert => [cert.publicKey, cert.metadata.name]),
  )
  const server = new Reply({ curveServer: true, curveSecretKey: secretKey })
  // Where names do not matter, `server.allow = await loadPublicKeys(folder)` does.
  server.authenticate = ({ publicKey = "" }) => {
    const userId = users.get(publicKey)
    console.log(`server: ${userId ?? "somebody whom I do not know"} is at the door`)
    return userId === undefined ? false : { userId }
  }
  server.events.on("handshake:error:auth", ({ error }) => console.log(`server: refused with status ${error.status}`))
  await server.bind("tcp://127.0.0.1:*")
  process.once("message", () => void server.close())
  process.send?.(server.lastEndpoint)

  while (!server.closed) {
    try {
      const { message, peer } = await server.receiveFrom()
      console.log(`server: ${peer.userId} asks "${message}" by ${peer.mechanism}`)
      await server.send(`${message}, ${peer.userId}`)
    } catch (error) {
      if (!server.closed) throw error
    }
  }
  process.disconnect()
}

async function ask(name: string): Promise<void> {
  const own = await loadCertificate(join(folder, `${name}.cert`))
  const server = await loadCertificate(join(folder, "server.cert"))
  await using client = new Request({
    curvePublicKey: own.publicKey,
    curveSecretKey: own.secretKey,
    curveServerKey: server.publicKey,
    linger: 0,
  })
  const refused = new Promise<string>(resolve => {
    client.events.on("handshake:error:auth", ({ error }) => resolve(`refused with status ${error.status}`))
  })
  client.connect(endpoint)
  await client.send("good day")
  const answered = client.receive().then(([answer]) => `the answer is "${answer}"`)
  console.log(`${name}: ${await Promise.race([answered, refused])}`)
  // Closing ends what still waits.
  answered.catch(() => {})
}

if (role === undefined) await administrator()
else if (role === "server") await serve()
else await ask(role)

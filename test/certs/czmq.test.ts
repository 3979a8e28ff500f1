/** Certificates that CZMQ and pyzmq write are read here, and theirs of ours: with the real ones, where they are installed. */
import { spawnSync } from "node:child_process"
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, describe, expect, it } from "vitest"
import { createCertificate, loadCertificate, loadPublicKeys, saveCertificate } from "../../patterns/certs/index.js"
import { inFolder } from "./folder.js"

const at = inFolder()

/** What the program prints, by lines. */
function linesOf(program: string, parameters: string[]): string[] {
  const { stdout, stderr, status } = spawnSync(program, parameters, { encoding: "utf8", timeout: 20_000 })
  expect(status, stderr).toBe(0)
  return stdout.trimEnd().split("\n")
}

const built = mkdtempSync(join(tmpdir(), "peerlane-czmq-"))
afterAll(() => rmSync(built, { recursive: true }))
const czmq = join(built, "czmq_certs")
const source = fileURLToPath(new URL("../support/peers/czmq_certs.c", import.meta.url))
const compiled = spawnSync(process.env.CC ?? "cc", [source, "-o", czmq, "-lczmq"], { encoding: "utf8" })
if (compiled.status !== 0) {
  const why = compiled.error?.message ?? compiled.stderr.split("\n").find(line => line.includes("error"))
  console.warn(`certificates are not held against CZMQ, for want of a C compiler with libczmq-dev: ${why}`)
}

describe.skipIf(compiled.status !== 0)("CZMQ", () => {
  it("reads what is written here", async () => {
    const certificate = createCertificate({ metadata: { name: "Alice of the #1 'hill'" } })
    await saveCertificate(at("alice.cert"), certificate)
    const { publicKey, secretKey, metadata } = certificate
    expect(linesOf(czmq, ["load", at("alice.cert"), "name"])).toEqual([publicKey, secretKey, metadata.name])
    rmSync(at("alice.cert_secret"))
    expect(linesOf(czmq, ["load", at("alice.cert"), "name"])).toEqual([publicKey, "0".repeat(40), metadata.name])
    expect(linesOf(czmq, ["store", at(), publicKey])).toEqual(["known"])
    expect(linesOf(czmq, ["store", at(), createCertificate().publicKey])).toEqual(["unknown"])
  })

  it("writes what is read here", async () => {
    const [publicKey, secretKey] = linesOf(czmq, ["save", at("bob.cert"), "name", "Bob # \\ 'b'"])
    expect(await loadCertificate(at("bob.cert"))).toEqual({ publicKey, secretKey, metadata: { name: "Bob # \\ 'b'" } })
    expect(await loadPublicKeys(at())).toEqual([publicKey])
  })
})

const python = process.env.PYTHON ?? (existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3")
const pyzmq = spawnSync(python, ["-c", "import zmq.auth"]).status === 0
if (!pyzmq) console.warn(`certificates are not held against pyzmq: ${python} cannot import zmq.auth`)

const LOAD = `
import sys, zmq.auth
for key in zmq.auth.load_certificate(sys.argv[1]): print((key or b"none").decode())
`
const CREATE = `
import sys, zmq.auth
_, secret = zmq.auth.create_certificates(sys.argv[1], "carol", {b"name": b"carol"})
for key in zmq.auth.load_certificate(secret): print(key.decode())
`

describe.skipIf(!pyzmq)("pyzmq", () => {
  it("reads what is written here", async () => {
    const { publicKey, secretKey, metadata } = createCertificate({ metadata: { name: "alice" } })
    await saveCertificate(at("alice.cert"), { publicKey, secretKey, metadata })
    expect(linesOf(python, ["-c", LOAD, at("alice.cert")])).toEqual([publicKey, "none"])
    expect(linesOf(python, ["-c", LOAD, at("alice.cert_secret")])).toEqual([publicKey, secretKey])
  })

  it("writes what is read here, when its mode is mended", async () => {
    const [publicKey, secretKey] = linesOf(python, ["-c", CREATE, at()])
    chmodSync(at("carol.key_secret"), 0o600)
    const { metadata, ...keys } = await loadCertificate(at("carol.key"))
    expect(keys).toEqual({ publicKey, secretKey })
    expect(metadata).toEqual({ name: "carol" })
    expect(await loadPublicKeys(at())).toEqual([publicKey])
  })
})

/** Certificate files: what is written, who may read it, and what becomes of files that are not what they should be. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type Certificate,
  CertificateError,
  createCertificate,
  loadCertificate,
  loadCertificates,
  loadPublicKeys,
  saveCertificate,
} from "../../patterns/certs/index.js"
import { curvePublicKey, Pull } from "../../patterns/index.js"
import { failsWith, failure, ownSockets } from "../support/sockets.js"
import { inFolder } from "./folder.js"

const at = inFolder()
const own = ownSockets()

const PUBLIC = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
const SECRET = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"

const text = (lines: string) => `# comment\n\nmetadata\n    name = "alice"\ncurve\n${lines}`

/** Writes a file as it is, for its owner alone. */
function put(name: string, contents: string): string {
  writeFileSync(at(name), contents, { mode: 0o600 })
  return at(name)
}

describe("a new certificate", () => {
  it("has a pair of keys and its metadata", () => {
    const metadata = { name: "alice" }
    const certificate = createCertificate({ metadata })
    expect(curvePublicKey(certificate.secretKey)).toBe(certificate.publicKey)
    expect(certificate.metadata).toEqual(metadata)
    expect(certificate.metadata).not.toBe(metadata)
    expect(createCertificate().publicKey).not.toBe(createCertificate().publicKey)
  })

  it("can be made of a secret key that is there", () => {
    expect(createCertificate({ secretKey: SECRET })).toEqual({ publicKey: PUBLIC, secretKey: SECRET, metadata: {} })
  })

  it.each([
    ["a line break", { name: "a\nb" }],
    ["both quotes", { name: `"'` }],
    ["a name with a space", { "a b": "c" }],
    ["no name", { "": "c" }],
    ["a name that ZPL takes for two", { "a/b": "c" }],
    ["a name that pyzmq takes for a key", { "public-key": "c" }],
    ["a line that CZMQ would cut", { name: "x".repeat(1024) }],
  ])("refuses metadata with %s", async (_, metadata) => {
    await failsWith("EINVAL", () => createCertificate({ metadata: metadata as unknown as Record<string, string> }))
  })

  it("shows no secret key that is none", async () => {
    const error = await failure(() => createCertificate({ secretKey: `${SECRET.slice(0, 39)}~` }))
    expect(error).toBeInstanceOf(CertificateError)
    expect(`${error.stack}`).not.toContain(SECRET.slice(0, 8))
  })
})

describe("saving", () => {
  it("writes the public part for all, and both for the owner alone", async () => {
    const certificate = createCertificate({ metadata: { name: "alice", email: "alice@example.org" } })
    await saveCertificate(at("alice.cert"), certificate)
    expect(readdirSync(at()).sort()).toEqual(["alice.cert", "alice.cert_secret"])
    const open = readFileSync(at("alice.cert"), "utf8")
    expect(open).toContain(`metadata\n    name = "alice"\n    email = "alice@example.org"\n`)
    expect(open).toContain(`curve\n    public-key = "${certificate.publicKey}"\n`)
    expect(open).not.toContain(certificate.secretKey)
    expect(readFileSync(at("alice.cert_secret"), "utf8")).toContain(`    secret-key = "${certificate.secretKey}"\n`)
    if (process.platform !== "win32") expect(statSync(at("alice.cert_secret")).mode & 0o777).toBe(0o600)
    expect(await loadCertificate(at("alice.cert"))).toEqual(certificate)
  })

  it("writes the public part alone of a public certificate", async () => {
    const { publicKey, metadata } = createCertificate()
    await saveCertificate(at("bob.cert"), { publicKey, metadata })
    expect(readdirSync(at())).toEqual(["bob.cert"])
    expect(await loadCertificate(at("bob.cert"))).toEqual({ publicKey, metadata })
  })

  it.each(["alice.cert", "alice.cert_secret"])("leaves %s alone when it is there, and writes nothing", async name => {
    put(name, "precious")
    const error = await failure(() => saveCertificate(at("alice.cert"), createCertificate()))
    expect(error).toMatchObject({ code: "EEXIST", path: at(name) })
    expect(readdirSync(at())).toEqual([name])
    expect(readFileSync(at(name), "utf8")).toBe("precious")
  })

  it("replaces files when it is told to, and their modes", async () => {
    await saveCertificate(at("alice.cert"), createCertificate())
    chmodSync(at("alice.cert_secret"), 0o644)
    const next = createCertificate()
    await saveCertificate(at("alice.cert"), next, { overwrite: true })
    expect(await loadCertificate(at("alice.cert"))).toEqual(next)
    expect(readdirSync(at())).toHaveLength(2)
  })

  it("puts no public certificate beside the secret of another", async () => {
    await saveCertificate(at("alice.cert"), createCertificate())
    const { publicKey, metadata } = createCertificate()
    const save = () => saveCertificate(at("alice.cert"), { publicKey, metadata }, { overwrite: true })
    await failsWith("EEXIST", save)
  })

  it("refuses keys that are no pair, or no keys", async () => {
    const [one, other] = [createCertificate(), createCertificate()]
    for (const wrong of [
      { ...one, secretKey: other.secretKey },
      { ...one, publicKey: "short" },
    ]) {
      const error = await failure(() => saveCertificate(at("x.cert"), wrong))
      expect(error).toMatchObject({ code: "EINVAL" })
      expect(`${error.stack}`).not.toContain(wrong.secretKey)
    }
    expect(readdirSync(at())).toEqual([])
  })

  it("gives the file system's error where there is no folder", async () => {
    await failsWith("ENOENT", () => saveCertificate(at("nowhere/x.cert"), createCertificate()))
  })

  it("keeps any metadata that it takes", async () => {
    const name = fc.stringMatching(/^[A-Za-z0-9$_@.&+-]{1,20}$/)
    let count = 0
    const property = fc.asyncProperty(fc.dictionary(name, fc.string({ maxLength: 40 })), async metadata => {
      let certificate: Certificate
      try {
        certificate = createCertificate({ metadata, secretKey: SECRET })
      } catch (error) {
        expect(error).toMatchObject({ code: "EINVAL" })
        return
      }
      const path = at(`${++count}.cert`)
      await saveCertificate(path, certificate)
      expect(await loadCertificate(path)).toEqual(certificate)
    })
    await fc.assert(property, { numRuns: 50 })
  })
})

describe("loading", () => {
  it.each([
    ["double quotes", `    public-key = "${PUBLIC}"`],
    ["single quotes", `    public-key = '${PUBLIC}'`],
    ["no quotes", `    public-key = ${PUBLIC}`],
    ["no spaces, and a comment", `    public-key="${PUBLIC}"   # mine`],
    ["line ends of Windows", `    public-key = "${PUBLIC}"\r`],
    ["sections that it does not know", `    public-key = "${PUBLIC}"\nother\n    deep\n        er = 1`],
  ])("takes %s", async (_, lines) => {
    const path = put("x.cert", text(lines))
    expect(await loadCertificate(path)).toEqual({ publicKey: PUBLIC, metadata: { name: "alice" } })
  })

  it.each([
    ["a key of another length", `    public-key = "short"`, 6],
    ["a key of other characters", `    public-key = "${PUBLIC.slice(0, 39)}~"`, 6],
    ["an indent of three", `   public-key = "${PUBLIC}"`, 6],
    ["an indent of tabs", `\tpublic-key = "${PUBLIC}"`, 6],
    ["an indent of two levels at once", `    public-key = "${PUBLIC}"\n            x = 1`, 7],
    ["a quote that does not end", `    public-key = "${PUBLIC}`, 6],
    ["something behind the value", `    public-key = "${PUBLIC}" x`, 6],
    ["no equals sign", `    public-key "${PUBLIC}"`, 6],
    ["a line that has no name", `    = "${PUBLIC}"`, 6],
    ["two public keys", `    public-key = "${PUBLIC}"\n    public-key = "${PUBLIC}"`, 7],
    ["a secret key of another pair", `    public-key = "${PUBLIC}"\n    secret-key = "${PUBLIC}"`, 7],
    ["a secret key that is none", `    public-key = "${PUBLIC}"\n    secret-key = "${SECRET}0"`, 7],
    ["a line without end", `    public-key = "${PUBLIC}" # ${"x".repeat(1024)}`, 6],
    ["no keys", "", undefined],
  ])("refuses %s, says where, and shows nothing", async (_, lines, line) => {
    const path = put("x.cert_secret", text(lines))
    const error = await failure(() => loadCertificate(at("x.cert")))
    expect(error).toMatchObject({ code: "EINVAL", path, line })
    expect(error.message).toContain(line === undefined ? path : `${path}:${line}: `)
    for (const key of [PUBLIC, SECRET]) expect(`${error.stack}`).not.toContain(key.slice(0, 8))
  })

  it("refuses what is no file, and one without end", async () => {
    mkdirSync(at("folder.cert"))
    await failsWith("EINVAL", () => loadCertificate(at("folder.cert")))
    put("long.cert", "#\n".repeat(40_000))
    await failsWith("EINVAL", () => loadCertificate(at("long.cert")))
    await failsWith("ENOENT", () => loadCertificate(at("none.cert")))
  })

  it.skipIf(process.platform === "win32").each([0o640, 0o604, 0o620, 0o644])(
    "refuses a secret of mode %o, unless it is told to take it",
    async mode => {
      const certificate = createCertificate()
      await saveCertificate(at("alice.cert"), certificate)
      chmodSync(at("alice.cert_secret"), mode)
      const error = await failure(() => loadCertificate(at("alice.cert")))
      expect(error).toMatchObject({ code: "EACCES", path: at("alice.cert_secret") })
      expect(error.message).toContain("chmod 600")
      expect(`${error.stack}`).not.toContain(certificate.secretKey)
      expect(await loadCertificate(at("alice.cert"), { readableByOthers: true })).toEqual(certificate)
    },
  )

  it("makes nothing but text of metadata", async () => {
    const lines = "__proto__ = x\n    constructor = y"
    const path = put("x.cert", `metadata\n    ${lines}\ncurve\n    public-key = "${PUBLIC}"\n`)
    const { metadata } = await loadCertificate(path)
    expect(Object.entries(metadata)).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
    ])
  })
})

describe("a folder of public certificates", () => {
  it("gives the keys that allow takes, by the order of names, and opens no secret", async () => {
    const [alice, bob, zoe] = [
      createCertificate({ metadata: { name: "alice" } }),
      createCertificate(),
      createCertificate(),
    ]
    await saveCertificate(at("bob.cert"), bob)
    await saveCertificate(at("alice.cert"), alice)
    await saveCertificate(at("zoe.key"), zoe)
    put("zoe.key_secret", "not a certificate at all")
    put("README", "not a certificate")
    put(".hidden.cert", "not a certificate")
    put("old.cert.revoked", "not a certificate")
    const keys = await loadPublicKeys(at())
    expect(keys).toEqual([alice.publicKey, bob.publicKey, zoe.publicKey])
    expect((await loadCertificates(at()))[0]).toEqual({ publicKey: alice.publicKey, metadata: { name: "alice" } })
    const pull = own(new Pull())
    pull.allow = keys
    expect(pull.allow).toEqual(keys)
  })

  it("fails as a whole when one is malformed", async () => {
    await saveCertificate(at("alice.cert"), createCertificate())
    const path = put("bob.cert", "curve\n")
    expect(await failure(() => loadPublicKeys(at()))).toMatchObject({ code: "EINVAL", path })
  })

  it("may be empty, and must be there", async () => {
    expect(await loadPublicKeys(at())).toEqual([])
    await failsWith("ENOENT", () => loadPublicKeys(at("none")))
  })
})

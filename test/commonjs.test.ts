/** `require("peerlane")` from a CommonJS program, as Node from 20.19 on allows. Needs `npm run build`. */
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"

const program = `
  const { Pull, Push } = require("peerlane")
  const { createCertificate } = require("peerlane/certs")
  if (createCertificate().publicKey.length !== 40) throw new Error("no certificate")
  const { msgpack } = require("peerlane/codec")
  if (msgpack().decode(msgpack().encode(new Map([[1n, 2]]))).get(1n) !== 2) throw new Error("no Map")
  const pull = new Pull()
  pull.bindSync("tcp://127.0.0.1:*")
  const push = new Push()
  push.connect(pull.lastEndpoint)
  push.send("by require")
  pull.receive().then(([frame]) => {
    console.log(frame.toString())
    push.close()
    pull.close()
  })
`

it("works by require(), and the program ends by itself", () => {
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=commonjs", "-e", program], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    encoding: "utf8",
    timeout: 20_000,
  })
  expect(stderr.replace(/^.*ExperimentalWarning: CommonJS module .*\n.*\n/m, "")).toBe("")
  expect(stdout).toBe("by require\n")
  expect(status).toBe(0)
})

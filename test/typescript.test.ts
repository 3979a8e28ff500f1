/**
 * TypeScript and the package, seen from projects with settings of their own: wherever it finds `zeromq` and knows what its
 * sockets receive, it must find Peerlane. A type that is not found becomes `any`, which nobody is told of; so each program
 * has two mistakes, which must be found. Needs `npm run build`.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import ts from "typescript"
import { afterAll, describe, expect, it } from "vitest"
import { programFolder } from "./support/programs.js"

const body = `
export async function run(socket: zmq.Socket, pull: Pull): Promise<void> {
  const [frame] = await pull.receive()
  const version: number = zmq.version // a mistake
  const first: string = frame! // another one
  socket.events.on("connect:retry", ({ interval }) => console.log(interval.toFixed(), version, first))
}
`
const byName = (name: string) => `import * as zmq from "${name}"\nimport { Pull } from "${name}"\n${body}`
const byDefault = (name: string) => `import zmq, { Pull } from "${name}"\n${body}`
const byRequire = (name: string) =>
  `import zmq = require("${name}")\ntype Pull = zmq.Pull\n${body.replace("export", "void run\n")}export {}\n`

const { ModuleKind, ModuleResolutionKind } = ts
const strict = { strict: true, noEmit: true, target: ts.ScriptTarget.ES2022 }
const node = { ...strict, module: ModuleKind.NodeNext }
const bundler = { ...strict, module: ModuleKind.ES2022, moduleResolution: ModuleResolutionKind.Bundler }
const old = {
  ...strict,
  module: ModuleKind.CommonJS,
  moduleResolution: ModuleResolutionKind.Node10,
  ignoreDeprecations: "6.0",
}

const projects: [project: string, file: string, source: (name: string) => string, options: ts.CompilerOptions][] = [
  ["Node's modules, every declaration checked", "named.mts", byName, { ...node, skipLibCheck: false }],
  ["a default import", "default.mts", byDefault, node],
  ["require()", "required.cts", byRequire, node],
  ["an import that becomes a require()", "imported.cts", byName, node],
  ["a bundler", "bundled.ts", byName, bundler],
  ["the older way to find packages", "old.ts", byName, old],
]

describe("TypeScript with", () => {
  const folder = programFolder(["zeromq", "@types"])
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.each(projects)("%s", { timeout: 60_000 }, (_, file, source, options) => {
    for (const name of ["zeromq", "peerlane"]) {
      const path = join(folder, file)
      writeFileSync(path, source(name))
      const program = ts.createProgram([path], { skipLibCheck: true, ...options })
      const found = ts.getPreEmitDiagnostics(program).map(({ file: where, start, messageText }) => {
        const lines = readFileSync(path, "utf8").split("\n")
        const line = where?.fileName === path ? lines[where.getLineAndCharacterOfPosition(start ?? 0).line] : undefined
        return line?.includes("mistake") || line?.includes("another") ? line.trim() : messageText
      })
      expect(found, name).toEqual([
        "const version: number = zmq.version // a mistake",
        "const first: string = frame! // another one",
      ])
    }
  })
})

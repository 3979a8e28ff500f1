/**
 * The house rules on who may know whom, and on what nobody may reach for by himself: the clock, timers, chance. Each file
 * of src/ and patterns/ is parsed by the TypeScript compiler, and each rule lists those that break it, so that a failure
 * is the list of what to change.
 */
import { readdirSync, readFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"
import { describe, expect, it } from "vitest"

const ROOT = fileURLToPath(new URL("..", import.meta.url))

interface Import {
  /** The file that is imported, such as `src/errors.ts`; or the name of a package, such as `node:net`. */
  readonly target: string
  /** Nothing of it is left when the program runs. (Of `import { type A }` an empty import is: verbatimModuleSyntax.) */
  readonly typeOnly: boolean
  /** `export … from`. */
  readonly reExport: boolean
}

interface Source {
  /** From the root, such as `src/wire/engine.ts`. */
  readonly path: string
  readonly lines: number
  readonly imports: readonly Import[]
  /** `export * from` stands in it. */
  readonly exportsAll: boolean
  /** Identifiers, of members and types as well, in their order; and `new Date()`, which reads the clock. */
  readonly names: readonly { readonly name: string; readonly line: number }[]
  readonly isAsync: boolean
}

function parse(path: string): Source {
  const text = readFileSync(join(ROOT, path), "utf8")
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true)
  const imports: Import[] = []
  const names: { name: string; line: number }[] = []
  let exportsAll = false
  let isAsync = false

  const lineOf = (node: ts.Node) => file.getLineAndCharacterOfPosition(node.getStart()).line + 1
  const add = (specifier: ts.Expression, typeOnly: boolean, reExport = false) => {
    if (!ts.isStringLiteralLike(specifier)) {
      // The one place where a package is loaded that may not be there.
      if (path === "patterns/curve/sodium.ts") return
      throw new Error(`${path} imports something that is computed`)
    }
    const name = specifier.text
    const target = name.startsWith(".") ? join(dirname(path), name).replace(/\.js$/, ".ts") : name
    imports.push({ target, typeOnly, reExport })
  }

  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const phase = node.importClause?.phaseModifier
      add(node.moduleSpecifier, phase === ts.SyntaxKind.TypeKeyword)
    } else if (isAllOfItself(node, path)) {
      return
    } else if (ts.isExportDeclaration(node)) {
      if (node.exportClause === undefined || ts.isNamespaceExport(node.exportClause)) exportsAll = true
      if (node.moduleSpecifier !== undefined) add(node.moduleSpecifier, node.isTypeOnly, true)
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0]!, false)
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal as ts.StringLiteral, true)
    } else if (ts.isNewExpression(node) && node.expression.getText() === "Date" && !node.arguments?.length) {
      names.push({ name: "new Date()", line: lineOf(node) })
    } else if (ts.isIdentifier(node)) {
      names.push({ name: node.text, line: lineOf(node) })
    }
    if (node.kind === ts.SyntaxKind.AsyncKeyword || ts.isAwaitExpression(node)) isAsync = true
    ts.forEachChild(node, visit)
  }
  visit(file)
  return { path, lines: text.split("\n").length - 1, imports, exportsAll, names, isAsync }
}

/** An index passes itself on as its default export, which makes no cycle. */
function isAllOfItself(node: ts.Node, path: string): boolean {
  return node.getText() === `export * as default from "./index.js"` && basename(path) === "index.ts"
}

const sources: Source[] = ["src", "patterns"].flatMap(room =>
  readdirSync(join(ROOT, room), { recursive: true, encoding: "utf8" })
    .filter(name => name.endsWith(".ts"))
    .map(name => parse(join(room, name)))
    .sort((a, b) => a.path.localeCompare(b.path)),
)

const within = (room: string) => sources.filter(({ path }) => path.startsWith(`${room}/`))
const isNode = (target: string) => target.startsWith("node:")
const isOutside = (target: string) => !/^(src|patterns)\//.test(target)

/** The imports of a room that are not allowed, as `file -> file`. */
function strangers(room: string, allowed: (target: string, from: Source) => boolean): string[] {
  return within(room).flatMap(source =>
    source.imports.filter(({ target }) => !allowed(target, source)).map(({ target }) => `${source.path} -> ${target}`),
  )
}

/** Where any of these names is used, as `file:line name`. */
function uses(files: readonly Source[], names: readonly string[]): string[] {
  const wanted = new Set(names)
  return files.flatMap(({ path, names }) =>
    names.filter(({ name }) => wanted.has(name)).map(({ name, line }) => `${path}:${line} ${name}`),
  )
}

describe("who may know whom", () => {
  it("there is something to look at, and what is imported is there", () => {
    for (const room of ["src/wire", "src/pipe", "src/transport", "src/core", "patterns"]) {
      expect(within(room).length, room).toBeGreaterThan(3)
    }
    const paths = new Set(sources.map(({ path }) => path))
    const missing = sources.flatMap(({ path, imports }) =>
      imports
        .filter(({ target }) => !isOutside(target) && !paths.has(target))
        .map(({ target }) => `${path} -> ${target}`),
    )
    expect(missing).toEqual([])
  })

  it("1. wire knows errors, message and itself: no Node, no promises", () => {
    const room = (target: string) =>
      target === "src/errors.ts" || target === "src/message.ts" || dirname(target) === "src/wire"
    expect(strangers("src/wire", room)).toEqual([])
    expect(uses(within("src/wire"), ["Promise", "process", "globalThis"])).toEqual([])
    expect(within("src/wire").filter(({ isAsync }) => isAsync)).toEqual([])
  })

  it("2. pipe knows errors, message and itself", () => {
    const room = (target: string) =>
      target === "src/errors.ts" || target === "src/message.ts" || dirname(target) === "src/pipe"
    expect(strangers("src/pipe", room)).toEqual([])
  })

  it("3. a transport knows its contract, endpoints, errors and Node, and no other transport", () => {
    const contracts = ["transport", "datagram", "endpoint"]
    const addresses = ["host-port", "tcp-address", "udp-address"]
    const parts = [...addresses, "tcp-server", "tls-context", "net-stream", "listen-now", "socks"]
    const shared = [...contracts, ...parts].map(name => `src/transport/${name}.ts`)
    const room = (target: string) => isNode(target) || target === "src/errors.ts" || shared.includes(target)
    expect(strangers("src/transport", room)).toEqual([])
  })

  it("4. core knows the rooms of src; transports are named in its registry and nowhere else", () => {
    expect(strangers("src/core", target => target.startsWith("src/") || isNode(target))).toEqual([])
    const open = ["transport", "datagram", "endpoint"].map(name => `src/transport/${name}.ts`)
    const isConcrete = (target: string) => target.startsWith("src/transport/") && !open.includes(target)
    const naming = sources
      .filter(
        ({ path, imports }) => !path.startsWith("src/transport/") && imports.some(({ target }) => isConcrete(target)),
      )
      .map(({ path }) => path)
    expect(naming).toEqual(["src/core/transports.ts"])
  })

  it("of core, only the real surroundings know Node", () => {
    const room = (target: string, from: Source) => !isNode(target) || from.path === "src/core/node-runtime.ts"
    expect(strangers("src/core", room)).toEqual([])
  })

  it("what stands at the top of src knows no room but by its types; its index is for patterns", () => {
    const top = sources.filter(({ path }) => dirname(path) === "src" && path !== "src/index.ts")
    const values = top.flatMap(({ path, imports }) =>
      imports
        .filter(({ target, typeOnly }) => !(typeOnly || dirname(target) === "src"))
        .map(({ target }) => `${path} -> ${target}`),
    )
    expect(values).toEqual([])
    expect(strangers("src", target => target !== "src/index.ts")).toEqual([])
  })

  it("5. a pattern knows the index of src and what patterns share; req-rep may build on router-dealer", () => {
    const room = (target: string, { path }: Source) => {
      const [own, other] = [dirname(path), dirname(target)]
      if (target === "src/index.ts") return true
      // The one place where Node's Buffer is made: it marks memory as not to be transferred.
      if (path === "patterns/bytes.ts" && target === "node:worker_threads") return true
      // The one place where CURVE keys are made.
      if (path === "patterns/curve/key-pair.ts" && target === "node:crypto") return true
      // The one place where a package is looked for that may not be there.
      if (path === "patterns/curve/sodium.ts" && target === "node:module") return true
      // What every socket has of security, and every context.
      if (path === "patterns/context.ts" && target === "patterns/curve/sodium.ts") return true
      if (path === "patterns/socket.ts" && target === "patterns/security/authenticate.ts") return true
      // Certificates are files, and hold keys of CURVE.
      if (path === "patterns/certs/files.ts" && ["node:fs", "node:fs/promises", "node:path"].includes(target))
        return true
      if (path === "patterns/certs/certificate.ts" && target === "patterns/curve/key-pair.ts") return true
      // Codecs: the one package that the house stands on, and the types of schemas.
      if (own === "patterns/codec" && (target === "msgpackr/pack" || target === "@standard-schema/spec")) return true
      if (own === "patterns/service" && target === "@standard-schema/spec") return true
      // A store: checksums, and what touches the machine's disk. LMDB is a package that its user has installed.
      if (["patterns/store/record.ts", "patterns/store/segment.ts"].includes(path) && target === "node:zlib")
        return true
      if (path === "patterns/store/node-disk.ts" && ["node:fs/promises", "node:path"].includes(target)) return true
      if (path === "patterns/store/node-lock.ts" && ["node:fs/promises", "node:net"].includes(target)) return true
      if (path === "patterns/store/lmdb/lmdb-store.ts" && target === "lmdb") return true
      if (own === "patterns/store/lmdb" && other === "patterns/store") return true
      // The simulated world is one of what typed patterns ask for.
      if (own === "patterns/testing" && ["patterns/typed", "patterns/store"].includes(other)) return true
      // Typed patterns run on disks, as a store does.
      // The pipeline: public sockets, codecs and stores; and the real clock in one place.
      if (own === "patterns/pipeline" && ["patterns/typed", "patterns/store"].includes(other)) return true
      if (own === "patterns/pipeline" && target === "patterns/codec/index.ts") return true
      // Services: public sockets and codecs.
      if (own === "patterns/service" && (other === "patterns/typed" || target === "patterns/codec/index.ts"))
        return true
      if (path === "patterns/typed/surroundings.ts" && ["patterns/router-dealer", "patterns/store"].includes(other))
        return true
      if (path === "patterns/typed/runtime.ts" && target === "patterns/store/disk.ts") return true
      if (own === "patterns") return other === "patterns" || path === "patterns/index.ts"
      return other === "patterns" || other === own || (own === "patterns/req-rep" && other === "patterns/router-dealer")
    }
    expect(strangers("patterns", room)).toEqual([])
    expect(strangers("patterns", target => target !== "patterns/index.ts")).toEqual([])
  })

  it("6. src never knows patterns, nor anything outside", () => {
    expect(strangers("src", target => target.startsWith("src/") || isNode(target))).toEqual([])
  })

  it("7. there are no cycles among what is left of the imports when the program runs", () => {
    const next = new Map(
      sources.map(({ path, imports }) => [
        path,
        imports.filter(({ typeOnly }) => !typeOnly).map(({ target }) => target),
      ]),
    )
    const cycles: string[] = []
    const done = new Set<string>()
    const walk = (path: string, trail: string[]) => {
      if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "))
      else if (!done.has(path)) {
        for (const target of next.get(path) ?? []) walk(target, [...trail, path])
        done.add(path)
      }
    }
    for (const { path } of sources) walk(path, [])
    expect(cycles).toEqual([])
  })

  it("7. nothing exports all of another file, and only the indexes pass on what others export", () => {
    expect(sources.filter(({ exportsAll }) => exportsAll).map(({ path }) => path)).toEqual([])
    const barrels = sources.filter(({ imports }) => imports.some(({ reExport }) => reExport)).map(({ path }) => path)
    const rooms = [
      "patterns",
      "patterns/certs",
      "patterns/codec",
      "patterns/draft",
      "patterns/pipeline",
      "patterns/service",
      "patterns/store/lmdb",
      "patterns/testing",
    ]
    const indexes = ["src/index.ts", ...rooms.map(room => `${room}/index.ts`)]
    expect(barrels.filter(path => !indexes.includes(path))).toEqual([])
  })

  it("7. no file is above 500 lines, and the middle one is near 150", () => {
    expect(sources.filter(({ lines }) => lines > 500).map(({ path, lines }) => `${path} ${lines}`)).toEqual([])
    const sorted = sources.map(({ lines }) => lines).sort((a, b) => a - b)
    expect(sorted[sorted.length >> 1]).toBeLessThan(200)
  })
})

describe("what is given and not reached for", () => {
  const given = within("src").filter(({ path }) => path !== "src/core/node-runtime.ts")

  it("clocks and timers come from the runtime", () => {
    const timers = ["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "nextTick"]
    expect(uses(given, [...timers, "performance", "hrtime", "new Date()"])).toEqual([])
    expect(usesOf(given, "AbortSignal", "timeout")).toEqual([])
    expect(usesOf(given, "Date", "now")).toEqual([])
    const modules = ["node:timers", "node:timers/promises", "node:perf_hooks"]
    expect(
      strangers("src", (target, { path }) => path === "src/core/node-runtime.ts" || !modules.includes(target)),
    ).toEqual([])
  })

  it("chance comes from the runtime", () => {
    expect(usesOf(given, "Math", "random")).toEqual([])
    expect(uses(given, ["crypto", "webcrypto", "randomBytes", "randomInt", "randomUUID", "getRandomValues"])).toEqual(
      [],
    )
    expect(strangers("src", target => target !== "node:crypto")).toEqual([])
  })

  it("only patterns say Buffer, and transports, which are Node's", () => {
    expect(uses(within("src"), ["Buffer"]).filter(use => !use.startsWith("src/transport/"))).toEqual([])
  })
})

/** Where `object.member` stands, as `file:line object.member`. */
function usesOf(files: readonly Source[], object: string, member: string): string[] {
  return files.flatMap(({ path, names }) =>
    names
      .filter(({ name, line }, at) => name === member && names[at - 1]?.name === object && names[at - 1]?.line === line)
      .map(({ line }) => `${path}:${line} ${object}.${member}`),
  )
}

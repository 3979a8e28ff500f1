/**
 * The `zeromq` package and Peerlane as the TypeScript compiler sees them: what each entry point exports, and what their
 * classes and interfaces have. Theirs are the declarations that the package ships, ours the sources.
 */
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import ts from "typescript"

const root = fileURLToPath(new URL("../../..", import.meta.url))

/** Two modules that stand for each other. */
export interface Entry {
  /** As it is imported: `zeromq/draft`, `peerlane/draft`. */
  readonly theirName: string
  readonly ourName: string
  /** By name, in the order of the declarations. */
  readonly theirs: ReadonlyMap<string, ts.Symbol>
  readonly ours: ReadonlyMap<string, ts.Symbol>
}

/** A method or property of a class or interface, inherited ones included. */
export interface Member {
  /** As it is written: `close`, `[Symbol.asyncIterator]`. */
  readonly name: string
  readonly symbol: ts.Symbol
  readonly type: ts.Type
  /** The class or interface that declares it; empty when it is not declared by name. */
  readonly owner: string
  readonly isMethod: boolean
  readonly isProtected: boolean
  readonly isReadonly: boolean
}

const FILES = {
  zeromq: ["node_modules/zeromq/lib/index.d.ts", "patterns/index.ts"],
  "zeromq/draft": ["node_modules/zeromq/lib/draft.d.ts", "patterns/draft/index.ts"],
} as const

export class Packages {
  readonly checker: ts.TypeChecker
  readonly entries: readonly Entry[]
  private readonly program: ts.Program

  constructor() {
    const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile)
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
    const files = Object.values(FILES).flatMap(pair => pair.map(file => root + file))
    this.program = ts.createProgram(files, { ...options, noEmit: true })
    this.checker = this.program.getTypeChecker()
    this.entries = Object.entries(FILES).map(([theirName, [theirs, ours]]) => ({
      theirName,
      ourName: theirName.replace("zeromq", "peerlane"),
      theirs: this.exportsOf(theirs),
      ours: this.exportsOf(ours),
    }))
  }

  /** Our sources, without what is only imported. */
  get sources(): readonly ts.SourceFile[] {
    return this.program.getSourceFiles().filter(({ fileName }) => /^(src|patterns)\//.test(fileName.slice(root.length)))
  }

  /** What both packages have to be imported by, from their files: `zeromq/draft`, `peerlane/draft`. */
  get entryPoints(): { theirs: string[]; ours: string[] } {
    const theirs = readdirSync(`${root}node_modules/zeromq`)
      .filter(name => name.endsWith(".d.ts"))
      .map(name => `zeromq/${name.slice(0, -5)}`)
    const { exports } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { exports: Record<string, unknown> }
    const ours = Object.keys(exports).map(path => `peerlane${path.slice(1)}`)
    return { theirs: ["zeromq", ...theirs.sort()], ours }
  }

  /** The type that a class, interface or alias declares. */
  readonly declared = (symbol: ts.Symbol): ts.Type => this.checker.getDeclaredTypeOfSymbol(symbol)

  /** Public and protected members, in the order of the declarations; what is marked as internal is left out. */
  membersOf(type: ts.Type): Map<string, Member> {
    const members = new Map<string, Member>()
    for (const symbol of this.checker.getPropertiesOfType(type)) {
      const declarations = symbol.declarations ?? []
      const flags = declarations.reduce((sum, declaration) => sum | ts.getCombinedModifierFlags(declaration), 0)
      if (flags & ts.ModifierFlags.Private || isInternal(symbol)) continue
      const owner = declarations[0]?.parent
      const type = this.checker.getTypeOfSymbol(symbol)
      const member: Member = {
        name: nameOf(symbol),
        symbol,
        type,
        owner:
          owner !== undefined && (ts.isClassLike(owner) || ts.isInterfaceDeclaration(owner))
            ? (owner.name?.text ?? "")
            : "",
        isMethod: type.getCallSignatures().length > 0,
        isProtected: (flags & ts.ModifierFlags.Protected) !== 0,
        isReadonly:
          (flags & ts.ModifierFlags.Readonly) !== 0 ||
          (declarations.some(ts.isGetAccessor) && !declarations.some(ts.isSetAccessor)),
      }
      members.set(member.name, member)
    }
    return members
  }

  /** How many type parameters a type has. */
  parametersOf(symbol: ts.Symbol): number {
    const [declaration] = symbol.declarations ?? []
    if (declaration === undefined) return 0
    const hasSome = ts.isTypeAliasDeclaration(declaration) || ts.isInterfaceDeclaration(declaration)
    return hasSome ? (declaration.typeParameters?.length ?? 0) : 0
  }

  /** A type as it is written, for a reader. */
  nameOf(type: ts.Type): string {
    const { checker } = this
    return checker.typeToString(checker.getNonNullableType(type)).replaceAll("<ArrayBufferLike>", "")
  }

  /** What is written above a declaration, in one line. */
  textOf(symbol: ts.Symbol): string {
    return ts.displayPartsToString(symbol.getDocumentationComment(this.checker)).replace(/\s+/g, " ")
  }

  /** Its first sentence, as Markdown; of a class that has a file for itself, that of the file. */
  docOf(symbol: ts.Symbol): string {
    const text = (this.textOf(symbol) || headOf(symbol)).replace(/\{@link (?:\w+\.)?([^}]+)\}/g, "`$1`")
    return (/^.*?[.](?= [A-Z`]|$)/.exec(text)?.[0] ?? text).replace(/\.$/, "").trim()
  }

  private exportsOf(file: string): Map<string, ts.Symbol> {
    const source = this.program.getSourceFile(root + file)
    const module = source && this.checker.getSymbolAtLocation(source)
    if (module === undefined) throw new Error(`${file} is no module`)
    const { checker } = this
    return new Map(
      checker
        .getExportsOfModule(module)
        .map(symbol => [symbol.name, symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol]),
    )
  }
}

function isInternal(symbol: ts.Symbol): boolean {
  return symbol.getJsDocTags().some(({ name }) => name === "internal")
}

/** What is written at the top of the file of a declaration, in one line. */
function headOf(symbol: ts.Symbol): string {
  const text = symbol.valueDeclaration?.getSourceFile().text ?? ""
  return (/^\/\*\*(.*?)\*\//s.exec(text)?.[1] ?? "").replace(/\n \* ?/g, " ").trim()
}

/** The compiler numbers the symbols that name members. */
function nameOf({ name }: ts.Symbol): string {
  const [, symbol] = /^__@(\w+)@\d+$/.exec(name) ?? []
  return symbol === undefined ? name : `[Symbol.${symbol}]`
}

export function isClass(symbol: ts.Symbol): boolean {
  return (symbol.flags & ts.SymbolFlags.Class) !== 0
}

/** It is there when a program runs. */
export function isValue(symbol: ts.Symbol): boolean {
  return (symbol.flags & ts.SymbolFlags.Value) !== 0
}

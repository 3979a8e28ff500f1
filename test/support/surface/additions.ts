/** What Peerlane has and `zeromq` has not, told by what is written above its declarations and in the table of options. */
import ts from "typescript"
import { OPTIONS, type OptionRow } from "../../../src/options.js"
import { type Entry, isClass, type Member, type Packages } from "./packages.js"
import { code, kindOf, listOf, type Section } from "./table.js"

/** A class of ours, and what theirs of that name has; what any socket of theirs has, where they have no such class. */
interface Class {
  readonly symbol: ts.Symbol
  readonly known: ReadonlySet<string>
}

export function additionsOf(packages: Packages): Section[] {
  const classes = classesOf(packages)
  const sockets = classes.filter(({ symbol }) => symbol.name !== "Socket" && isSocket(packages, symbol))
  const others = classes.filter(({ symbol }) => ["Observer", "Proxy", "Context"].includes(symbol.name))
  return [
    ...packages.entries.map(entry => exported(packages, entry)),
    { title: "Members of sockets", columns: ["member", "of", "what it is"], rows: memberRows(packages, sockets) },
    { title: "Options of sockets", columns: ["option", "of", "what it does"], rows: optionRows(packages, sockets) },
    {
      title: "Members of observers, proxies and contexts",
      columns: ["member", "of", "what it is"],
      rows: memberRows(packages, others),
    },
  ]
}

function classesOf(packages: Packages): Class[] {
  const membersOf = (symbol: ts.Symbol) => [...packages.membersOf(packages.declared(symbol)).keys()]
  const any = packages.entries.flatMap(({ theirs }) => [...theirs.values()].filter(isClass).flatMap(membersOf))
  return packages.entries.flatMap(({ theirs, ours }) =>
    [...ours.values()].filter(isClass).map(symbol => {
      const their = theirs.get(symbol.name)
      return { symbol, known: new Set(their === undefined ? any : membersOf(their)) }
    }),
  )
}

function exported(packages: Packages, { ourName, theirs, ours }: Entry): Section {
  // The default export is all the others.
  const rows = [...ours]
    .filter(([name]) => !theirs.has(name) && name !== "default")
    .map(([, symbol]) => {
      const fields = isSocket(packages, symbol) ? [] : fieldsOf(packages, symbol)
      const doc = packages.docOf(symbol)
      const what = fields.length === 0 ? doc : `${doc} (${fields.map(code).join(", ")})`
      return [code(symbol.name), kindOf(symbol), what]
    })
  return { title: `Exports of \`${ourName}\``, columns: ["name", "kind", "what it is"], rows }
}

/** Those that are said to be the same of several classes are told of together. */
function memberRows(packages: Packages, classes: readonly Class[]): string[][] {
  const names = classes.map(({ symbol }) => symbol.name)
  const rows = new Map<string, { member: Member; doc: string; holders: string[] }>()
  for (const { symbol, known } of classes) {
    const inner = innerNames(packages, symbol)
    for (const member of packages.membersOf(packages.declared(symbol)).values()) {
      const { name, isProtected } = member
      if (known.has(name) || inner.has(name) || isProtected || name in OPTIONS) continue
      const doc = packages.docOf(member.symbol)
      const row = rows.get(`${name} ${doc}`) ?? { member, doc, holders: [] }
      row.holders.push(symbol.name)
      rows.set(`${name} ${doc}`, row)
    }
  }
  return [...rows.values()].map(({ member, doc, holders }) => [nameOf(member), listOf(holders, names), doc])
}

function optionRows(packages: Packages, sockets: readonly Class[]): string[][] {
  const members = sockets.map(({ symbol }) => ({
    name: symbol.name,
    has: packages.membersOf(packages.declared(symbol)),
  }))
  const known = new Set(sockets.flatMap(each => [...each.known]))
  return (Object.entries(OPTIONS) as [string, OptionRow][])
    .filter(([option]) => !known.has(option))
    .map(([option, { doc }]) => {
      const holders = members.filter(({ has }) => has.has(option)).map(({ name }) => name)
      return [
        code(option),
        listOf(
          holders,
          members.map(({ name }) => name),
        ),
        doc,
      ]
    })
}

function isSocket({ checker, declared, entries }: Packages, symbol: ts.Symbol): boolean {
  const base = entries[0]!.ours.get("Socket")
  return base !== undefined && isClass(symbol) && checker.isTypeAssignableTo(declared(symbol), declared(base))
}

/** What an added type has of its own. */
function fieldsOf(packages: Packages, symbol: ts.Symbol): string[] {
  const isOwn = ({ symbol: { declarations } }: Member) =>
    declarations?.some(node => packages.sources.includes(node.getSourceFile()))
  return [...packages.membersOf(packages.declared(symbol)).values()]
    .filter(member => !member.isProtected && isOwn(member))
    .map(({ name, isMethod }) => (isMethod ? `${name}()` : name))
}

/** What a class has for the engine: it stands in an interface that the class implements and that no entry point exports. */
function innerNames({ checker, entries, declared }: Packages, symbol: ts.Symbol): Set<string> {
  const exported = new Set(entries.flatMap(({ ours }) => [...ours.values()]))
  const names = new Set<string>()
  const visit = (type: ts.Type): void => {
    for (const node of type.symbol?.declarations ?? []) {
      if (!ts.isClassDeclaration(node)) continue
      for (const { token, types } of node.heritageClauses ?? []) {
        for (const each of types) {
          const base = checker.getTypeAtLocation(each)
          if (token === ts.SyntaxKind.ExtendsKeyword) visit(base)
          else if (!exported.has(base.symbol)) for (const { name } of base.getProperties()) names.add(name)
        }
      }
    }
  }
  visit(declared(symbol))
  return names
}

function nameOf({ name, isMethod }: Member): string {
  return code(isMethod ? `${name}()` : name)
}

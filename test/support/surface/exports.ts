/** Rows for what is imported: the entry points, and what they export. */
import ts from "typescript"
import type { Note } from "./notes.js"
import { type Entry, isClass } from "./packages.js"
import type { Sides } from "./surface.js"
import { code, kindOf } from "./table.js"
import { judge, partly, type Row } from "./verdict.js"

const BY_DEFAULT = 'import zmq from "zeromq"'

export function entryRows({ packages }: Sides, exported: readonly { entry: Entry; rows: readonly Row[] }[]): Row[] {
  const { theirs, ours } = packages.entryPoints
  const rows = theirs.map(name => {
    const own = name.replace("zeromq", "peerlane")
    const present = ours.includes(own)
    const told = partly(exported.find(({ entry }) => entry.theirName === name)?.rows ?? [])
    return judge({ id: name, cells: [code(name), present ? code(own) : ""], present, fits: true, told })
  })
  const present = packages.entries[0]!.ours.has("default")
  return [
    ...rows,
    judge({
      id: BY_DEFAULT,
      cells: [code(BY_DEFAULT), present ? code(BY_DEFAULT.replace("zeromq", "peerlane")) : ""],
      present,
      fits: true,
    }),
  ]
}

/** `details` are the rows of members, which say whether a class is all there. */
export function exportRows(sides: Sides, { theirs, ours }: Entry, details: readonly Row[]): Row[] {
  return [...theirs.values()].map(their => {
    const our = ours.get(their.name)
    return judge({
      id: their.name,
      cells: [code(their.name), kindOf(their)],
      present: our !== undefined,
      fits: our !== undefined && fits(sides, our, their),
      told: partly(details.filter(({ id }) => id.startsWith(`${their.name}.`))) ?? (our && wider(sides, our, their)),
    })
  })
}

/**
 * Classes are told by their members, and so are the methods of interfaces by those of the classes that have them. Of a
 * type with parameters, what it makes of them is looked at where it is used.
 */
function fits({ packages, comparison }: Sides, ours: ts.Symbol, theirs: ts.Symbol): boolean {
  if (isClass(theirs)) return isClass(ours)
  const [own, other] = [packages.declared(ours), packages.declared(theirs)]
  if (theirs.flags & ts.SymbolFlags.Interface) {
    const members = packages.membersOf(own)
    return [...packages.membersOf(other).values()].every(member => {
      const our = members.get(member.name)
      return our !== undefined && (member.isMethod || comparison.member(our, member))
    })
  }
  if (theirs.flags & ts.SymbolFlags.TypeAlias) {
    const parameters = packages.parametersOf(theirs)
    return packages.parametersOf(ours) === parameters && (parameters > 0 || comparison.same(own, other))
  }
  const [value, their] = [packages.checker.getTypeOfSymbol(ours), packages.checker.getTypeOfSymbol(theirs)]
  return their.getCallSignatures().length > 0 ? comparison.call(value, their) : comparison.stands(value, their)
}

/** Of options of a call, when more can be given to ours. */
function wider({ packages, comparison }: Sides, ours: ts.Symbol, theirs: ts.Symbol): Note | undefined {
  if (!theirs.name.endsWith("Options") || packages.parametersOf(theirs) > 0) return undefined
  if (!comparison.stands(packages.declared(theirs), packages.declared(ours))) return undefined
  const own = packages.membersOf(packages.declared(ours))
  const more = [...packages.membersOf(packages.declared(theirs)).values()].flatMap(({ name, type }) => {
    const our = own.get(name)?.type
    return our === undefined || comparison.same(our, type) ? [] : `${code(name)} may be ${code(packages.nameOf(our))}`
  })
  return more.length === 0 ? undefined : { verdict: "better", why: more.join(", ") }
}

/** Rows for methods, properties, constructors and options. */
import { OPTIONS, type OptionRow } from "../../../src/options.js"
import type { Note } from "./notes.js"
import type { Member } from "./packages.js"
import type { Pair, Sides } from "./surface.js"
import { code, listOf } from "./table.js"
import { judge, type Row, toldByDoc, toldByOption } from "./verdict.js"

/** What all sockets have is told once, and options are told elsewhere. Nothing is told of a class that is missing as a whole. */
export function memberRows({ packages, comparison }: Sides, { name: holder, theirs, ours }: Pair): Row[] {
  if (ours === undefined) return []
  const own = packages.membersOf(packages.declared(ours))
  const rows = [...packages.membersOf(packages.declared(theirs)).values()]
    .filter(({ owner }) => holder === "Socket" || owner !== "Socket")
    .filter(member => !isOption(holder, member))
    .map(member => {
      const { name, owner, isMethod, isProtected } = member
      const our = own.get(name)
      const present = our !== undefined && (isProtected || !our.isProtected)
      return judge({
        id: `${holder}.${name}`,
        like: `${owner}.${name}`,
        cells: [code(holder), code(isMethod ? `${name}()` : name) + (isProtected ? " (protected)" : "")],
        present,
        fits: present && comparison.member(our, member),
      })
    })
  const isAbstract = comparison.constructorOf(theirs) === undefined
  const constructed = judge({
    id: `${holder}.constructor`,
    cells: [code(holder), isAbstract ? "constructor (protected)" : "constructor"],
    present: !isAbstract,
    fits: !isAbstract && comparison.construction(ours, theirs),
  })
  return [constructed, ...rows]
}

interface Holder {
  readonly name: string
  readonly member: Member
  /** Undefined where ours lacks it; a class that is missing is none of them. */
  readonly ours: Member | undefined
  readonly isThere: boolean
}

export function optionRows(sides: Sides): Row[] {
  const { comparison } = sides
  const names = sides.sockets.map(({ name }) => name)
  return [...optionHolders(sides)].map(([option, holders]) => {
    const there = holders.filter(({ isThere }) => isThere)
    const lacking = there.filter(({ ours }) => ours === undefined).map(({ name }) => code(name))
    const present = there.length > lacking.length
    const missing: Note = { verdict: "missing", why: `of ${lacking.join(", ")}` }
    return judge({
      id: `option ${option}`,
      cells: [
        code(option),
        listOf(
          holders.map(({ name }) => name),
          names,
        ),
      ],
      present,
      fits: there.every(({ member, ours }) => ours !== undefined && comparison.member(ours, member)),
      told: present && lacking.length > 0 ? missing : toldByOption((OPTIONS as Record<string, OptionRow>)[option]),
    })
  })
}

/** The options of theirs, and the sockets that have them. */
function optionHolders({ packages, sockets }: Sides): Map<string, Holder[]> {
  const holders = new Map<string, Holder[]>()
  for (const { name, theirs, ours } of sockets) {
    const own = ours && packages.membersOf(packages.declared(ours))
    for (const member of packages.membersOf(packages.declared(theirs)).values()) {
      if (!isOption(name, member)) continue
      const holder = { name, member, ours: own?.get(member.name), isThere: own !== undefined }
      holders.set(member.name, [...(holders.get(member.name) ?? []), holder])
    }
  }
  return holders
}

export function contextOptionRows(sides: Sides): Row[] {
  const { packages, comparison } = sides
  return sides.named("Context").flatMap(({ theirs, ours, name: holder }) => {
    const own = ours && packages.membersOf(packages.declared(ours))
    return [...packages.membersOf(packages.declared(theirs)).values()]
      .filter(member => isOption(holder, member))
      .map(member => {
        const our = own?.get(member.name)
        return judge({
          id: `${holder}.${member.name}`,
          cells: [code(member.name) + (member.isReadonly ? " (read only)" : "")],
          present: our !== undefined,
          fits: our !== undefined && comparison.member(our, member),
          told: our && toldByDoc(packages.textOf(our.symbol)),
        })
      })
  })
}

/** All properties of a context; those of a socket that can be set. */
function isOption(holder: string, { name, isMethod, isProtected, isReadonly }: Member): boolean {
  if (isMethod || isProtected || ["Observer", "Proxy"].includes(holder)) return false
  return holder === "Context" || !(isReadonly || name === "context")
}

/** Rows for the types of events, and for what `capability` tells. */
import ts from "typescript"
import { capability } from "../../../patterns/index.js"
import { OPTIONS, type OptionRow } from "../../../src/options.js"
import type { Packages } from "./packages.js"
import type { Sides } from "./surface.js"
import { code } from "./table.js"
import { judge, type Row, toldByOption } from "./verdict.js"

export function eventRows({ packages, comparison }: Sides): Row[] {
  const [{ theirs, ours }] = packages.entries as [Packages["entries"][number]]
  const own = eventsOf(packages, ours.get("Event"))
  const emitted = emittedEvents(packages.sources)
  return [...eventsOf(packages, theirs.get("Event"))].map(([type, their]) => {
    const our = emitted.has(type) ? own.get(type) : undefined
    const fields = [...packages.membersOf(their).keys()].filter(name => name !== "type")
    return judge({
      id: `event ${type}`,
      cells: [code(type), fields.map(code).join(", ")],
      present: our !== undefined,
      fits: our !== undefined && comparison.stands(our, their),
    })
  })
}

/** The members of a union, by their property `type`. */
function eventsOf({ checker }: Packages, symbol: ts.Symbol | undefined): Map<string, ts.Type> {
  if (symbol === undefined) return new Map()
  const type = checker.getDeclaredTypeOfSymbol(symbol)
  return new Map(
    (type.isUnion() ? type.types : [type]).map(event => {
      const name = checker.getTypeOfSymbol(event.getProperty("type")!)
      return [name.isStringLiteral() ? name.value : "", event]
    }),
  )
}

/** The types that stand in calls of `emit("…")` and `record({ type: "…" })`. */
function emittedEvents(sources: readonly ts.SourceFile[]): Set<string> {
  const types = new Set<string>()
  const add = (node: ts.Node | undefined) => {
    if (node !== undefined && ts.isStringLiteral(node)) types.add(node.text)
  }
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const [first] = node.arguments
      const called = node.expression.name.text
      if (called === "emit") add(first)
      if (called === "record" && first !== undefined && ts.isObjectLiteralExpression(first)) {
        const type = first.properties.find(property => property.name?.getText() === "type")
        if (type !== undefined && ts.isPropertyAssignment(type)) add(type.initializer)
      }
    }
    ts.forEachChild(node, visit)
  }
  for (const source of sources) visit(source)
  return types
}

/** What is not there is told by the options that go with it, where it has some. */
export function capabilityRows({ packages: { checker, entries } }: Sides): Row[] {
  const type = checker.getTypeOfSymbol(entries[0]!.theirs.get("capability")!)
  return type.getProperties().map(({ name }) => {
    const present = (capability as Record<string, boolean | undefined>)[name] === true
    const told = present ? undefined : toldByOption((OPTIONS as Record<string, OptionRow>)[`${name}Server`])
    return judge({ id: `capability.${name}`, cells: [code(name)], present, fits: true, told })
  })
}

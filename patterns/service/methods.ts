/**
 * The methods of an object that can be called from outside: its own functions, by name, and those of its own plain objects
 * (`"users.find"`). Nothing is looked up along a prototype, and all names are found once, before anybody asks.
 */
import { ServiceError } from "./errors.js"
import { schemasOf } from "./method.js"
import type { Schemas } from "./schema.js"

export type Handler = (argument: unknown, context: unknown) => unknown

export interface Served {
  readonly handler: Handler
  readonly schemas: Schemas
}

/** How deep namespaces may stand in each other. */
const DEEPEST = 8

export function methodsOf(implementation: object): ReadonlyMap<string, Served> {
  const methods = new Map<string, Served>()
  collect(implementation, "", 0, methods)
  if (methods.size === 0) throw new ServiceError("EINVAL", "there is no method to serve: only own functions count")
  return methods
}

function collect(owner: object, prefix: string, depth: number, methods: Map<string, Served>): void {
  if (depth > DEEPEST) throw new ServiceError("EINVAL", `namespaces are deeper than ${DEEPEST}, or go round in circles`)
  for (const name of Object.keys(owner)) {
    if (name.includes(".") || name === "then" || name === "$") {
      throw new ServiceError("EINVAL", `${JSON.stringify(name)} is no name for a method`)
    }
    const value = (owner as Record<string, unknown>)[name]
    if (typeof value === "function") {
      methods.set(prefix + name, { handler: value.bind(owner) as Handler, schemas: schemasOf(value) })
    } else if (isPlain(value)) collect(value, `${prefix}${name}.`, depth + 1, methods)
  }
}

function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

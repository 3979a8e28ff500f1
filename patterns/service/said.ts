/** What is said of a call beside its argument, by a client or a plain REQ. */
import { countOf, textOf } from "../typed/protocol.js"
import { ServiceError } from "./errors.js"
import type { CallSaid } from "./running.js"

/** Texts that travel with a call, and letters of all of them. */
const MOST = 64
const LONGEST = 8192

/** EINVAL. */
export function saidOf(said: Record<string, unknown>): Pick<CallSaid, "method" | "timeout" | "context"> {
  const { timeout, method, context } = said
  return {
    method: textOf(method, "method", ""),
    timeout: timeout === undefined || timeout === null ? Number.POSITIVE_INFINITY : countOf(timeout, "timeout", 0),
    context: context === undefined ? NONE : contextOf(context),
  }
}

const NONE: Readonly<Record<string, string>> = Object.freeze(Object.create(null))

/** Texts by name. EINVAL: they are something else, or too long. */
export function contextOf(said: unknown): Readonly<Record<string, string>> {
  const context: Record<string, string> = Object.create(null)
  let letters = 0
  if (typeof said !== "object" || said === null) throw new ServiceError("EINVAL", "a context is to be texts by name")
  const entries = Object.entries(said)
  for (const [name, value] of entries) {
    letters += name.length + (typeof value === "string" ? value.length : LONGEST)
    if (typeof value !== "string" || entries.length > MOST || letters > LONGEST) {
      throw new ServiceError("EINVAL", `a context is up to ${MOST} texts by name, of ${LONGEST} letters in all`)
    }
    context[name] = value
  }
  return context
}

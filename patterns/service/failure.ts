/** What a caller is told of what was thrown, whatever that was. */
import { textOf } from "../typed/protocol.js"
import { RemoteError } from "./errors.js"

/** Letters of a message that are passed on. */
const LONGEST = 16_384
/** Of `data`, as JSON. */
const LONGEST_DATA = 65_536

export interface Told {
  readonly code: string
  readonly message: string
  readonly name?: string
  readonly data?: unknown
  readonly stack?: string
}

export function failureOf(error: unknown, withStack: boolean): Told {
  try {
    if (!(error instanceof Error))
      return { code: "EREMOTE", name: typeof error, message: String(error).slice(0, LONGEST) }
    const { name, message } = error
    // Looked at only where it is wanted: that is what takes longest.
    const stack = withStack ? error.stack : undefined
    return {
      code: codeOf(error),
      name: String(name).slice(0, LONGEST),
      message: String(message).slice(0, LONGEST),
      ...dataOf(error),
      ...(typeof stack === "string" ? { stack: stack.slice(0, LONGEST) } : {}),
    }
  } catch {
    return { code: "EREMOTE", name: "unknown", message: "what the handler threw cannot be shown" }
  }
}

/** A call that was not begun: it has no name, by which callers know that. */
export function refusalOf(error: unknown): Told {
  const { code, message, data } = failureOf(error, false)
  return data === undefined ? { code, message } : { code, message, data }
}

/** What {@link failureOf} has told, at the other side. EINVAL: it is something else. */
export function remoteErrorOf({ code, message, name, data, stack }: Record<string, unknown>): RemoteError {
  const remoteStack = typeof stack === "string" ? stack : null
  const texts = [textOf(code, "code", "EREMOTE"), textOf(message, "message", "")] as const
  return new RemoteError(...texts, textOf(name, "name", "Error"), data, remoteStack)
}

/** Under which code a failure goes to the caller. */
export function codeOf(error: unknown): string {
  try {
    const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined
    return typeof code === "string" && code.length <= 100 ? code : "EREMOTE"
  } catch {
    return "EREMOTE" // It is a getter, or a proxy, that throws.
  }
}

/** As JSON has it, where it can be written like that and is not too long. */
function dataOf(error: Error): { data?: unknown } {
  const { data } = error as Error & { data?: unknown }
  if (data === undefined) return {}
  try {
    const text = JSON.stringify(data)
    return text === undefined || text.length > LONGEST_DATA ? {} : { data: JSON.parse(text) }
  } catch {
    return {} // It holds itself, or what JSON has not.
  }
}

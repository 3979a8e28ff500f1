/** What the protocols of typed patterns have in common: a first frame of version and command, and JSON in the next. */
import { TypedError } from "./error.js"

export type Frame = Uint8Array | string

export class Protocol<Command extends string> {
  /** The first frame of each command. */
  readonly frame: Readonly<Record<Command, Uint8Array>>

  /**
   * @param version Letters and a number: `PL1`.
   * @param what Whose it is, for messages.
   */
  constructor(
    readonly version: string,
    private readonly what: string,
    commands: readonly Command[],
  ) {
    const frames = commands.map(command => [command, Buffer.from(`${version} ${command}`)])
    this.frame = Object.fromEntries(frames) as Record<Command, Uint8Array>
  }

  /** What the first frame says; null: nothing of this protocol in this version. */
  commandOf(first: Buffer | undefined): Command | null {
    if (first === undefined || first.length > 20) return null
    const text = first.toString("latin1")
    if (!text.startsWith(`${this.version} `)) return null
    const name = text.slice(this.version.length + 1)
    return Object.hasOwn(this.frame, name) ? (name as Command) : null
  }

  /** Why a message was not understood. */
  refusalOf(first: Buffer | undefined): { code: string; message: string } {
    const text = first === undefined ? "" : first.toString("latin1", 0, 20)
    const letters = this.version.replace(/\d+$/, "")
    const version = new RegExp(`^(${letters}\\d+) `).exec(text)?.[1]
    if (version !== undefined && version !== this.version) {
      return { code: "EPROTO", message: `this speaks ${this.version} of the ${this.what} protocol, not ${version}` }
    }
    return { code: "EINVAL", message: `not a message of the ${this.what} protocol, ${this.version}` }
  }
}

/** A frame that holds one JSON object. EINVAL: it does not. */
export function objectOf(bytes: Buffer | undefined): Record<string, unknown> {
  const value = jsonOf(bytes)
  if (isObject(value)) return value
  throw new TypedError("EINVAL", "a frame that is to be a JSON object is something else")
}

/** A frame that holds a JSON array of objects. EINVAL: it does not. */
export function objectsOf(bytes: Buffer | undefined): Record<string, unknown>[] {
  const value = jsonOf(bytes)
  if (Array.isArray(value) && value.every(isObject)) return value
  throw new TypedError("EINVAL", "a frame that is to be a JSON array of objects is something else")
}

/** An array of objects within a JSON object. EINVAL: it is something else. */
export function objectsIn(value: unknown, name: string): Record<string, unknown>[] {
  if (Array.isArray(value) && value.every(isObject)) return value
  throw new TypedError("EINVAL", `${name} is to be an array of objects`)
}

function jsonOf(bytes: Buffer | undefined): unknown {
  try {
    return JSON.parse(bytes?.toString() ?? "")
  } catch (cause) {
    throw new TypedError("EINVAL", "a frame that is to be JSON is not", { cause })
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

export function wordsOf(bytes: Buffer | undefined): string[] {
  const text = bytes?.toString("latin1") ?? ""
  return text === "" ? [] : text.split(" ")
}

/** A whole number from 0 on that may be absent. EINVAL: it is something else. */
export function countOf(value: unknown, name: string, absent: number): number {
  if (value === undefined || value === null) return absent
  if (typeof value === "number" && value >= 0 && Number.isSafeInteger(value)) return value
  throw new TypedError("EINVAL", `${name} is to be a whole number from 0 on`)
}

/** Texts in an array that may be absent. EINVAL: it is something else. */
export function textsOf(value: unknown, name: string): readonly string[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value) && value.every(text => typeof text === "string")) return value
  throw new TypedError("EINVAL", `${name} is to be an array of strings`)
}

/** A name that a peer gives itself. EINVAL. */
export function nameOf(value: unknown, name: string): string {
  if (typeof value === "string" && value.length > 0 && value.length <= 100) return value
  throw new TypedError("EINVAL", `${name} is to be a name of up to 100 letters`)
}

/** A text that may be absent. EINVAL: it is something else. */
export function textOf<A>(value: unknown, name: string, absent: A): string | A {
  if (value === undefined || value === null) return absent
  if (typeof value === "string") return value
  throw new TypedError("EINVAL", `${name} is to be a string`)
}

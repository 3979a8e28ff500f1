/**
 * The walk over a value before it is encoded: refuses what has no bytes, what is too deep or goes round in circles, and puts
 * in place of some values what stands for them. Nothing of the caller's is changed: what has such a value in it is copied.
 * What is special to a format is its subclass's.
 */
import { CodecError } from "./codec.js"
import { type CodecLimits, checkSize } from "./limits.js"

/** What {@link Walk.special} says of an ordinary object. */
export const ORDINARY = Symbol("ordinary")

export abstract class Walk {
  private readonly maxBytes: number
  private readonly maxDepth: number
  /** At least so many bytes so far. */
  private size = 0
  /** What the value is in, outermost first. */
  private readonly above: object[] = []

  constructor({ maxBytes, maxDepth }: Required<CodecLimits>) {
    this.maxBytes = maxBytes
    this.maxDepth = maxDepth
  }

  /** What is encoded in place of the value: itself, mostly. */
  take(value: unknown): unknown {
    switch (typeof value) {
      case "string":
        this.spend(1 + value.length)
        return this.text(value)
      case "number":
        this.spend(1)
        return this.number(value)
      case "bigint":
        this.spend(1)
        return this.bigint(value)
      case "object":
        if (value !== null) return this.object(value)
        break
      case "function":
      case "symbol":
        return fail(`a ${typeof value} has no bytes`)
    }
    this.spend(1)
    return value
  }

  /** A value that stands for itself: not for a property. */
  item(value: unknown): unknown {
    return this.take(value)
  }

  protected text(value: string): unknown {
    return value
  }

  /** Refuses a key that the format cannot have. */
  protected key(_key: string): void {}

  protected abstract number(value: number): unknown
  protected abstract bigint(value: bigint): unknown
  /** What is encoded in place of an object of a class that the format knows; {@link ORDINARY} for all others. */
  protected abstract special(value: object): unknown

  protected spend(bytes: number): void {
    this.size += bytes
    checkSize(this.size, this.maxBytes)
  }

  protected enter(value: object): void {
    if (this.above.includes(value)) fail("it contains itself")
    if (this.above.length >= this.maxDepth) fail(`more than ${this.maxDepth} levels`)
    this.above.push(value)
    this.spend(1)
  }

  protected leave(): void {
    this.above.pop()
  }

  /** What stands for all of these, in a container that {@link enter} was called for. */
  protected all(values: Iterable<unknown>): unknown[] {
    const taken: unknown[] = []
    for (const value of values) taken.push(this.item(value))
    return taken
  }

  private object(value: object): unknown {
    if (Array.isArray(value)) return this.array(value)
    const isPlain = Object.getPrototypeOf(value) === Object.prototype
    if (!isPlain) {
      const instead = this.special(value)
      if (instead !== ORDINARY) return instead
    }
    const { toJSON } = value as { toJSON?: unknown }
    if (typeof toJSON === "function") {
      const json: unknown = toJSON.call(value, "")
      return json === value ? this.properties(value, isPlain) : this.take(json)
    }
    // What is of a class is taken as its properties; what is more than those would be lost without a word.
    const kind = isPlain ? "Object" : Object.prototype.toString.call(value).slice(8, -1)
    if (kind !== "Object") fail(`a ${kind} has no bytes`)
    return this.properties(value, isPlain)
  }

  private array(values: readonly unknown[]): unknown[] {
    // Holes count: nobody waits for a billion of them.
    checkSize(this.size + values.length, this.maxBytes)
    this.enter(values)
    let copy: unknown[] | undefined
    for (let i = 0; i < values.length; i++) {
      const taken = this.item(values[i])
      if (copy === undefined && !Object.is(taken, values[i])) copy = values.slice(0, i)
      copy?.push(taken)
    }
    this.leave()
    return copy ?? (values as unknown[])
  }

  private properties(value: object, isPlain: boolean): object {
    this.enter(value)
    const from = value as Record<string, unknown>
    const keys = Object.keys(from)
    let copy: Record<string, unknown> | undefined = isPlain ? undefined : {}
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!
      if (key === "__proto__") fail("__proto__ as a key")
      this.key(key)
      this.spend(1 + key.length)
      const property = from[key]
      const taken = this.take(property)
      if (copy === undefined && !Object.is(taken, property)) {
        copy = {}
        for (let j = 0; j < i; j++) copy[keys[j]!] = from[keys[j]!]
      }
      if (copy !== undefined) copy[key] = taken
    }
    this.leave()
    return copy ?? value
  }
}

export function fail(detail: string): never {
  throw new CodecError("EENCODE", detail)
}

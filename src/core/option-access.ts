/** The options of one socket: checked and stored as the table says, and made properties of the socket classes. */
import { ZmqError } from "../errors.js"
import { OPTIONS, type OptionName, type OptionRow, type OptionValues, optionsOf, optionValues } from "../options.js"
import type { SocketTypeName } from "../wire/socket-types.js"
import { decodeZ85, encodeZ85 } from "../wire/z85.js"
import { AddressFilter } from "./address-filter.js"

const encoder = new TextEncoder()
const decoder = new TextDecoder()
/** Longest name of a property (37/ZMTP). */
const MAX_NAME = 255
const KEY_SIZE = 32
/** Longest routing id (28/REQREP). */
const MAX_ROUTING_ID = 255

export class OptionStore {
  readonly values: OptionValues = optionValues()
  /** Options of type string as the bytes that they were given as. */
  private bytes: Map<OptionName, Uint8Array> | null = null

  bytesOf(name: OptionName): Uint8Array | null {
    return this.bytes?.get(name) ?? null
  }

  /** Checks a value against its row and stores it. TypeError for a wrong type, EINVAL out of range, ENOTSUP for what is not there yet. */
  set(name: OptionName, value: unknown): void {
    const row: OptionRow = OPTIONS[name]
    const checked = row.type === "string" ? this.setString(name, value) : checkPlain(name, row, value)
    if (row.refused && checked !== row.default) throw new ZmqError("ENOTSUP", { detail: `${name}: ${row.doc}` })
    if (row.secret) Object.defineProperty(this.values, name, { value: checked, configurable: true })
    else Object.assign(this.values, { [name]: checked })
  }

  private setString(name: OptionName, value: unknown): string | null {
    if (value !== null && typeof value !== "string" && !(value instanceof Uint8Array)) {
      throw new TypeError("Option value must be a string or buffer")
    }
    const bytes = typeof value === "string" ? encoder.encode(value) : new Uint8Array(value ?? [])
    const { longest, list, key, filled, values, secret, refused }: OptionRow = OPTIONS[name]
    if (key) return this.setKey(name, value, bytes)
    if (longest !== undefined && bytes.length > longest) {
      throw new ZmqError("EINVAL", { detail: `expected ${name} of at most ${longest} bytes, got ${bytes.length}` })
    }
    if (filled && value !== null && bytes.length === 0) {
      throw new ZmqError("EINVAL", { detail: `expected ${name} of at least a byte, or null` })
    }
    if (values !== undefined && !refused && !values.includes(decoder.decode(bytes))) {
      throw new ZmqError("EINVAL", { detail: `expected ${name} of ${values.join(" or ")}` })
    }
    if (secret) return bytes.length === 0 ? null : decoder.decode(bytes)
    if (list !== undefined) return value === null ? null : this.join(name, decoder.decode(bytes), list)
    if (name === "routingId" && (bytes.length === 0 || bytes.length > MAX_ROUTING_ID)) {
      throw new ZmqError("EINVAL", {
        detail: `expected a routingId of 1 to ${MAX_ROUTING_ID} bytes, got ${bytes.length}`,
      })
    }
    this.bytes ??= new Map()
    if (bytes.length === 0) this.bytes.delete(name)
    else this.bytes.set(name, bytes)
    return bytes.length === 0 ? null : decoder.decode(bytes)
  }

  /** 32 bytes, or 40 characters of Z85, with a zero behind them or not (libzmq). */
  private setKey(name: OptionName, value: unknown, bytes: Uint8Array): string {
    const text = bytes.length === 41 && bytes[40] === 0 ? decoder.decode(bytes.subarray(0, 40)) : decoder.decode(bytes)
    const raw = typeof value !== "string" && bytes.length === KEY_SIZE
    if (!raw && text.length !== 40) {
      throw new ZmqError("EINVAL", { detail: `expected ${name} of 32 bytes, or of 40 characters of Z85` })
    }
    const keyBytes = raw ? bytes : decodeZ85(text)
    this.bytes ??= new Map()
    this.bytes.set(name, keyBytes)
    return encodeZ85(keyBytes)
  }

  /** Adds to a list what it does not have yet. */
  private join(name: OptionName, text: string, separator: string): string {
    const added = text.split(separator)
    for (const item of added) checkItem(name, item)
    const before = this.values[name]
    return [...new Set([...(typeof before === "string" ? before.split(separator) : []), ...added])].join(separator)
  }
}

function checkItem(name: OptionName, item: string): void {
  if (name === "tcpAcceptFilter") new AddressFilter([item])
  else if (!/^X-[^:]*:./s.test(item) || encoder.encode(item.slice(0, item.indexOf(":"))).length > MAX_NAME) {
    throw new ZmqError("EINVAL", { detail: `expected ${name} such as X-name:value, got "${item.slice(0, 32)}"` })
  }
}

function checkPlain(name: OptionName, row: OptionRow, value: unknown): number | boolean {
  if (row.type === "boolean") {
    if (typeof value !== "boolean") throw new TypeError("Option value must be a boolean")
    return value
  }
  if (typeof value !== "number") throw new TypeError("Option value must be a number")
  const { min = 0, max = 0 } = row
  const number = Math.trunc(value)
  if (!(number >= min && number <= max)) {
    throw new ZmqError("EINVAL", { detail: `expected ${name} from ${min} to ${max}, got ${value}` })
  }
  // Tenths of a second is what travels.
  return name === "heartbeatTimeToLive" ? number - (number % 100) : number
}

/** A socket as far as its properties need it. */
export interface OptionTarget {
  getOption(name: OptionName): unknown
  setOption(name: OptionName, value: unknown): void
}

/** Makes the options that a socket type has properties of its class. */
export function defineOptions(prototype: OptionTarget, type: SocketTypeName): void {
  for (const name of optionsOf(type)) {
    const row: OptionRow = OPTIONS[name]
    const get = function (this: OptionTarget) {
      return this.getOption(name)
    }
    Object.defineProperty(prototype, name, {
      configurable: true,
      get: row.access === "w" ? undefined : get,
      set(this: OptionTarget, value: unknown) {
        this.setOption(name, value)
      },
    })
  }
}

/** The commands of PROTOCOL.md, and what their frames are made of. */
import { PipelineError } from "./errors.js"

const VERSION = "PL1"

const commandBytes = (command: string) => Buffer.from(`${VERSION} ${command}`)

/** The first frame of each command. */
export const frame = {
  HELLO: commandBytes("HELLO"),
  CREDIT: commandBytes("CREDIT"),
  ACK: commandBytes("ACK"),
  NACK: commandBytes("NACK"),
  REJECT: commandBytes("REJECT"),
  RETURN: commandBytes("RETURN"),
  EXTEND: commandBytes("EXTEND"),
  PROGRESS: commandBytes("PROGRESS"),
  PING: commandBytes("PING"),
  BYE: commandBytes("BYE"),
  SUBMIT: commandBytes("SUBMIT"),
  WANT: commandBytes("WANT"),
  WELCOME: commandBytes("WELCOME"),
  JOB: commandBytes("JOB"),
  DONE: commandBytes("DONE"),
  STALE: commandBytes("STALE"),
  ACCEPTED: commandBytes("ACCEPTED"),
  DECLINED: commandBytes("DECLINED"),
  RESULT: commandBytes("RESULT"),
  WHO: commandBytes("WHO"),
  PONG: commandBytes("PONG"),
  REFUSED: commandBytes("REFUSED"),
} as const

export type Command = keyof typeof frame

export type Frame = Uint8Array | string

/** What the first frame says; null: nothing of this protocol in this version. */
export function commandOf(first: Buffer | undefined): Command | null {
  if (first === undefined || first.length > 20) return null
  const text = first.toString("latin1")
  if (!text.startsWith(`${VERSION} `)) return null
  const name = text.slice(VERSION.length + 1)
  return Object.hasOwn(frame, name) ? (name as Command) : null
}

/** Why a message was not understood. */
export function refusalOf(first: Buffer | undefined): { code: string; message: string } {
  const text = first === undefined ? "" : first.toString("latin1", 0, 20)
  const version = /^(PL\d+) /.exec(text)?.[1]
  if (version !== undefined && version !== VERSION) {
    return { code: "EPROTO", message: `this speaks ${VERSION} of the pipeline protocol, not ${version}` }
  }
  return { code: "EINVAL", message: `not a message of the pipeline protocol, ${VERSION}` }
}

/** A frame that holds one JSON object. EINVAL: it does not. */
export function objectOf(bytes: Buffer | undefined): Record<string, unknown> {
  const value = jsonOf(bytes)
  if (isObject(value)) return value
  throw new PipelineError("EINVAL", "a frame that is to be a JSON object is something else")
}

/** A frame that holds a JSON array of objects. EINVAL: it does not. */
export function objectsOf(bytes: Buffer | undefined): Record<string, unknown>[] {
  const value = jsonOf(bytes)
  if (Array.isArray(value) && value.every(isObject)) return value
  throw new PipelineError("EINVAL", "a frame that is to be a JSON array of objects is something else")
}

function jsonOf(bytes: Buffer | undefined): unknown {
  try {
    return JSON.parse(bytes?.toString() ?? "")
  } catch (cause) {
    throw new PipelineError("EINVAL", "a frame that is to be JSON is not", { cause })
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
  throw new PipelineError("EINVAL", `${name} is to be a whole number from 0 on`)
}

/** A text that may be absent. EINVAL: it is something else. */
export function textOf<A>(value: unknown, name: string, absent: A): string | A {
  if (value === undefined || value === null) return absent
  if (typeof value === "string") return value
  throw new PipelineError("EINVAL", `${name} is to be a string`)
}

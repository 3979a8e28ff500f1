/**
 * What one call of the bench measures: the engines it has, and the cases it was asked for.
 */

import type { EngineName, PackageName } from "./engine.js"
import type { Native } from "./native.js"
import type { Loop } from "./reports.js"

export type Transport = "tcp" | "ipc" | "inproc"

export interface Variant {
  engine: PackageName
  loop: Loop
  label: string
}

export interface Plan {
  /** Loops of the packages that can be imported, in the order in which they take turns. */
  variants: Variant[]
  raw: boolean
  native: Native | null
  quick: boolean
  /** Folder for ipc endpoints. */
  folder: string
  sizes?: number[]
  transports?: Transport[]
  subscribers?: number[]
}

export const labels: Record<EngineName, string> = {
  peerlane: "peerlane",
  zeromq: "zeromq",
  raw: "raw net",
  c: "libzmq C",
}

export const loopLabels: Record<Loop, string> = { await: "await + for await", batches: "trySend + batches" }

let endpoints = 0

/** An endpoint to bind that nothing else uses. */
export function freshEndpoint(plan: Plan, transport: Transport): string {
  if (transport === "tcp") return "tcp://127.0.0.1:*"
  endpoints++
  return transport === "ipc" ? `ipc://${plan.folder}/${endpoints}.sock` : `inproc://bench-${endpoints}`
}

/** The same for plain sockets, which have no wildcard. */
export function freshNetEndpoint(plan: Plan, transport: Transport): string {
  return transport === "tcp" ? "tcp://127.0.0.1:0" : freshEndpoint(plan, transport)
}

/** Those of `all` that were asked for; everything when nothing was. */
export function chosen<T>(all: readonly T[], asked: readonly T[] | undefined): T[] {
  return all.filter(one => asked === undefined || asked.includes(one))
}

/** 65536 as "64 KiB". */
export function sizeName(bytes: number): string {
  if (bytes >= 1 << 20 && bytes % (1 << 20) === 0) return `${bytes >> 20} MiB`
  if (bytes >= 1024 && bytes % 1024 === 0) return `${bytes >> 10} KiB`
  return `${bytes} B`
}

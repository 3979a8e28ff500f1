/**
 * What the processes of the demo say to each other. Everything but a file's content is JSON in one frame.
 *
 *   control   ROUTER (main) <──> DEALER (each child)   Order one way, Report the other
 *   files     PUSH (ventilator) ──> PULL (workers)     [index, path, content]
 *   counts    PUSH (workers) ──> PULL (sink)           [Count]
 *   progress  PUB (sink) ──> SUB (main)                ["progress", Progress]
 *   queries   REQ (main) <──> REP (sink)               [Query], [Totals] or [Share[]]
 */

/** From main to a child. A child does one job: the order with its parameters, then `stop`. */
export type Order =
  | { type: "work"; files: string; counts: string } // to a worker: the endpoints to connect to
  | { type: "collect"; files: number } // to the sink: how many counts make it complete
  | { type: "ventilate"; paths: string[]; passes: number; workers: number } // to the ventilator
  | { type: "stop" }

/** From a child to main. */
export type Report =
  | { type: "hello"; engine: string; endpoints: Endpoints } // I am there, and have bound these
  | { type: "ready" } // I am connected and can begin
  | { type: "complete" } // the sink has all counts

/** What a child has bound, each on a port the system chose. */
export interface Endpoints {
  files?: string
  counts?: string
  progress?: string
  queries?: string
}

/** What one worker found in one file. `index` is the file's place in the whole run, from 0. */
export interface Count {
  worker: string
  index: number
  path: string
  words: number
  lines: number
  bytes: number
  sha1: string
}

export interface Progress {
  files: number
  bytes: number
  seconds: number
}

export type Query = "totals" | "shares"

/** The sums over all files, and one checksum over all files' checksums in the order they were sent. */
export interface Totals {
  files: number
  words: number
  lines: number
  bytes: number
  checksum: string
}

/** One worker's part of the whole. */
export interface Share {
  worker: string
  files: number
  bytes: number
  seconds: number
}

export const encode = (value: Order | Report | Count | Progress | Query | Totals | Share[]): string =>
  JSON.stringify(value)

export const decode = <T>(frame: Buffer | undefined): T => JSON.parse(String(frame)) as T

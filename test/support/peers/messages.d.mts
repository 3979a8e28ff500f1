/** The types of messages.mjs, which stays JavaScript because peer programs run it as it is. */

/** A frame as told by a peer program: base64 when short, else size and SHA-256 in hex. */
export type FrameReport = string | { size: number; sha256: string }

/** A frame as asked of a peer program: base64 text, or bytes made from a size and a seed. */
export type FrameDescription = string | { size: number; seed: number | string }

export interface SenderSeen {
  received: number
  first: number
  last: number
  /** Numbers skipped between the first and the last. */
  missed: number
  /** Messages whose number was not above the one before: repeats, or a sender that began again. */
  backwards: number
}

export interface TallySummary {
  received: number
  torn: number
  /** What was wrong with the first torn message. */
  tear: string | null
  senders: Record<string, SenderSeen>
}

export function pattern(size: number, seed: number | string): Buffer
export function report(frame: Uint8Array): FrameReport
export function frameOf(description: FrameDescription): Buffer
export function stamp(sender: number, number: number, frames: number, size: number): Buffer[]
export class Tally {
  add(message: readonly Buffer[]): void
  summary(): TallySummary
}

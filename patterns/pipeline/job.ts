/**
 * A job as its producer keeps it: what it is, and one ticket for each group that is to do it. The body is in memory only
 * near its hand-out. `meta` is what the store keeps of all that beside the body, as JSON with short names; from it a
 * producer that starts again has everything back but who had which job in hand.
 */
import type { Placed } from "../typed/heap.js"
import type { Lane } from "./lane.js"

/** From the most to the least urgent. */
export const priorities = ["high", "normal", "low"] as const
export type Priority = (typeof priorities)[number]

export enum State {
  /** May be handed out. */
  Ready,
  /** Not before some time. */
  Delayed,
  /** Another one of the same key is before it. */
  Blocked,
  /** A consumer has it. */
  InFlight,
  /** Its end is on the way to the disk. */
  Settling,
  Dead,
  Done,
}

export interface Job {
  readonly seq: number
  readonly id: string
  /** The user has chosen the id: it is remembered when the job is gone. */
  readonly named: boolean
  readonly key: string | null
  /** An index of `priorities`. */
  readonly band: number
  readonly acceptedAt: number
  /** The first time it may be handed out; 0: at once. */
  readonly startAt: number
  /** Infinity: never. One that is put back has no end. */
  expiresAt: number
  readonly codec: string
  /** 0: the queue's. */
  readonly maxAttempts: number
  /** In ms; 0: the queue's. */
  readonly lease: number
  /** Its sender waits for what the handler returns, or did before a restart. */
  readonly want: boolean
  /** Of the body, in bytes. */
  readonly size: number
  /** null: only the store has it. */
  body: Uint8Array | null
  tickets: Ticket[]
  /** It is on its way out of the store; null: not yet. */
  erasing: Promise<void> | null
  /** Until when its id is remembered, once it is on its way out; 0: not at all. */
  buriedUntil: number
}

/** When something is due, on the clock of its heap. */
export interface Due extends Placed {
  readonly at: number
  readonly ticket: Ticket
  /** Of one that rests after a failure: for how long, in ms; 0: it is due on the wall clock. */
  readonly rest: number
}

/** A job for one group. */
export interface Ticket {
  readonly job: Job
  readonly lane: Lane
  state: State
  /** Begun and failed. */
  attempts: number
  /** Why it waits: its time to start (wall clock), or a rest after a failure (monotonic); null: it does not, or does no more. */
  delay: Due | null
  /** In the heap of times to live; null: it has no end, or has ended. */
  expiry: Due | null
  reason: string
  stack: string
  /** When it died, in ms since 1970. */
  diedAt: number
}

/** The state of one ticket in a store: absent while nothing has happened to it. */
interface TicketMeta {
  /** attempts */
  n?: number
  /** rests until, on the wall clock, and how long in all */
  t?: number
  w?: number
  /** done */
  d?: 1
  /** dead: since when */
  x?: number
  /** reason, stack */
  r?: string
  s?: string
}

interface JobMeta {
  i?: string
  k?: string
  p?: number
  a: number
  s?: number
  x?: number
  c: string
  m?: number
  l?: number
  v?: 1
  z: number
  g?: Record<string, TicketMeta>
}

/** The id of a job that is gone, for as long as it must not be accepted again. */
export interface Remembered {
  readonly id: string
  readonly until: number
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** @param date The time of day, and `now` the monotonic time, in ms. */
export function encodeMeta(job: Job, date: number, now: number): Uint8Array {
  // Written by hand, as every job pays for it; `JobMeta` says what it is.
  let text = `{"a":${job.acceptedAt},"c":${JSON.stringify(job.codec)},"z":${job.size}`
  if (job.named) text += `,"i":${JSON.stringify(job.id)}`
  if (job.key !== null) text += `,"k":${JSON.stringify(job.key)}`
  if (job.band !== 1) text += `,"p":${job.band}`
  if (job.startAt !== 0) text += `,"s":${job.startAt}`
  if (job.expiresAt !== Number.POSITIVE_INFINITY) text += `,"x":${job.expiresAt}`
  if (job.maxAttempts !== 0) text += `,"m":${job.maxAttempts}`
  if (job.lease !== 0) text += `,"l":${job.lease}`
  if (job.want) text += ',"v":1'
  const groups = groupsOf(job, date, now)
  if (groups !== null) text += `,"g":${JSON.stringify(groups)}`
  return Buffer.from(`${text}}`)
}

/** What has become of it, by group; null: nothing yet. */
function groupsOf({ tickets }: Job, date: number, now: number): JobMeta["g"] | null {
  let groups: NonNullable<JobMeta["g"]> | null = null
  for (const ticket of tickets) {
    const told = ticketMeta(ticket, date, now)
    if (told === null) continue
    groups ??= {}
    groups[`=${ticket.lane.group}`] = told
  }
  return groups
}

function ticketMeta(ticket: Ticket, date: number, now: number): TicketMeta | null {
  const { state, attempts, delay } = ticket
  // What settles was noted before this, or could not be; it is done all the same.
  if (state === State.Done || state === State.Settling) return { d: 1 }
  const told: TicketMeta = {}
  if (attempts > 0) told.n = attempts
  if (state === State.Dead) told.x = ticket.diedAt
  else if (delay !== null && delay.rest > 0) {
    told.t = Math.round(date + delay.at - now)
    told.w = delay.rest
  }
  if (ticket.reason !== "") told.r = ticket.reason
  if (ticket.stack !== "") told.s = ticket.stack
  return Object.keys(told).length > 0 ? told : null
}

export function encodeRemembered({ id, until }: Remembered): Uint8Array {
  return encoder.encode(JSON.stringify({ u: until, i: id }))
}

/** What a meta was made of. The tickets of a job are made by `add`, group by group. */
export function decodeMeta(
  seq: number,
  bytes: Uint8Array,
  idOf: (seq: number) => string,
): { job: Job; told: (group: string) => TicketMeta } | Remembered {
  const meta = JSON.parse(decoder.decode(bytes)) as JobMeta & { u?: number }
  if (meta.u !== undefined) return { id: meta.i!, until: meta.u }
  const job: Job = {
    seq,
    id: meta.i ?? idOf(seq),
    named: meta.i !== undefined,
    key: meta.k ?? null,
    band: meta.p ?? 1,
    acceptedAt: meta.a,
    startAt: meta.s ?? 0,
    expiresAt: meta.x ?? Number.POSITIVE_INFINITY,
    codec: meta.c,
    maxAttempts: meta.m ?? 0,
    lease: meta.l ?? 0,
    want: meta.v === 1,
    size: meta.z,
    body: null,
    tickets: [],
    erasing: null,
    buriedUntil: 0,
  }
  return { job, told: group => meta.g?.[`=${group}`] ?? {} }
}

export function newTicket(job: Job, lane: Lane): Ticket {
  return {
    job,
    lane,
    state: State.Ready,
    attempts: 0,
    delay: null,
    expiry: null,
    reason: "",
    stack: "",
    diedAt: 0,
  }
}

/** It waits for its time to start; null: it has none. */
export function untilStart(ticket: Ticket): Due | null {
  const { startAt } = ticket.job
  return startAt > 0 ? { at: startAt, ticket, rest: 0, place: -1 } : null
}

/** It rests; null: it does not. */
export function resting(ticket: Ticket, now: number, rest: number): Due | null {
  return rest > 0 ? { at: now + rest, ticket, rest, place: -1 } : null
}

/** A ticket as it was, but for who had it. A rest that was begun ends when it would have, whatever the clock says now. */
export function restoredTicket(job: Job, lane: Lane, told: TicketMeta, date: number, now: number): Ticket {
  const ticket = newTicket(job, lane)
  ticket.attempts = told.n ?? 0
  ticket.reason = told.r ?? ""
  ticket.stack = told.s ?? ""
  ticket.diedAt = told.x ?? 0
  if (told.d === 1) ticket.state = State.Done
  else if (told.x !== undefined) ticket.state = State.Dead
  else if (told.t !== undefined) ticket.delay = resting(ticket, now, Math.min(told.t - date, told.w ?? 0))
  else ticket.delay = untilStart(ticket)
  return ticket
}

/** What a handler knows of the call that it works on, beside its argument. */
export interface CallContext {
  /** The whole name, `"users.find"`. */
  readonly method: string
  /** Aborted when the caller wants no more: he has cancelled, his time is over, or he is lost. Its reason is a ServiceError. */
  readonly signal: AbortSignal
  /** What is left of the caller's time, in ms; Infinity: he said nothing. */
  readonly timeLeft: number
  /** What travelled along: `traceparent` and the like. Callers can say anything here. */
  readonly context: Readonly<Record<string, string>>
  /** Who the caller is, as the socket's authenticator has found (PLAIN, CURVE, TLS); undefined: nobody asked, or the engine does not tell. */
  readonly userId: string | undefined
  /** What middleware leaves here for those behind it. */
  readonly state: Map<unknown, unknown>
}

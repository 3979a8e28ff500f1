/** What a handler knows of the call that it works on, beside its argument. */
export interface CallContext {
  /** The whole name, `"users.find"`. */
  readonly method: string
  /** Aborted when the caller wants no more: he has cancelled, his time is over, or he is lost. Its reason is a ServiceError. */
  readonly signal: AbortSignal
  /** What is left of the caller's time, in ms. */
  readonly timeLeft: number
  /** What travelled along. */
  readonly context: Readonly<Record<string, string>>
}

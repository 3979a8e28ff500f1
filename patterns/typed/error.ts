/** What typed patterns throw: by codes that stay the same. Each pattern has its own class of it, and its own codes. */
export class TypedError extends Error {
  override readonly name: string = "TypedError"

  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** Whatever understanding a peer's message threw: it is the peer's, and an error of ours. */
export function peerFault(error: unknown): TypedError {
  if (error instanceof TypedError) return error
  return new TypedError("EINVAL", `a message that cannot be understood: ${error}`, { cause: error })
}

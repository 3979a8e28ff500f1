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

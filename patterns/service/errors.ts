/** How a call ends that does not end well, by codes that stay the same. */
import { TypedError } from "../typed/error.js"

export type ServiceErrorCode =
  /** Its time was over. */
  | "ETIMEDOUT"
  /** Its signal ended it, or who read the stream has left. The signal's reason is the `cause`. */
  | "ECANCELED"
  /** The server, or the way to it, was lost while it ran; nobody knows how far it came. */
  | "ELOST"
  /** Every server that could take it has as much as it takes. Nothing was done. */
  | "EBUSY"
  /** A plain question came to a server that takes no more calls. Nothing was done. */
  | "EDRAINING"
  /** The argument, or what was returned, cannot be encoded. */
  | "EENCODE"
  /** What came back cannot be decoded. */
  | "EDECODE"
  /** This side is closed. */
  | "ECLOSED"
  /** There is no such method. */
  | "ENOENT"
  /** The argument is none, or does not fit; or what came back does not fit the caller's schema. */
  | "EINVAL"
  /** An argument, a result, or an item of a stream is larger than `maxArgument` or `maxResult`. */
  | "EMSGSIZE"
  /** The other side speaks another version, or not sense. */
  | "EPROTO"
  /** The handler threw, or returned what cannot be sent. An error with a `code` of its own keeps that. */
  | "EREMOTE"

export class ServiceError extends TypedError {
  override readonly name: string = "ServiceError"

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(code, message, options)
  }
}

/** What a handler threw, as the caller sees it. */
export class RemoteError extends ServiceError {
  override readonly name = "RemoteError"

  /**
   * @param remoteName The name of the error's class.
   * @param data Its `data`, where it had some.
   * @param remoteStack Where the server shows stacks; else null.
   */
  constructor(
    code: string,
    message: string,
    readonly remoteName: string,
    readonly data: unknown,
    readonly remoteStack: string | null,
  ) {
    super(code, message)
  }
}

/** What goes wrong in a pipeline, by codes that stay the same. */
import { TypedError } from "../typed/error.js"

export type PipelineErrorCode =
  /** A `timeout` was over. */
  | "ETIMEDOUT"
  /** It is closed, or was closed meanwhile. */
  | "ECLOSED"
  /** A job that the queue's limits can never take, or a result above them. */
  | "EMSGSIZE"
  /** More sends wait for room than `maxWaiting`. */
  | "EBUSY"
  /** A job that is not this consumer's any more: its lease ended, it was settled before, or its producer is gone. */
  | "ESTALE"
  /** The other side speaks another version. */
  | "EPROTO"
  /** An option or an argument is not what it may be. */
  | "EINVAL"
  /** No such group, job or dead letter. */
  | "ENOENT"
  /** The job became a dead letter: what waits for its result will not get one. */
  | "EDEAD"

export class PipelineError extends TypedError {
  override readonly name = "PipelineError"
  declare readonly code: PipelineErrorCode

  constructor(code: PipelineErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options)
  }
}

/** What a peer says, or says it badly, as an error of ours. */
export function pipelineError({ code, message, cause }: TypedError): PipelineError {
  const known = code === "EPROTO" || code === "ENOENT" ? code : "EINVAL"
  return new PipelineError(known, message, { cause })
}

/** Thrown by a handler of `run`: this job will never be done. It is a dead letter at once, whatever attempts are left. */
export class Rejection extends Error {
  override readonly name = "Rejection"
}

export function closedError(): PipelineError {
  return new PipelineError("ECLOSED", "it is closed")
}

/** What went wrong in a store, and where. */

/**
 * `EDAMAGED`: what was safe cannot be read any more, and no crash can have done it. `ENOTSUP`: written by another version.
 * `ENOENT`: no such entry. `EBUSY`: somebody else has the store. `ENOSPC`: the disk is full. `EIO`: the disk failed; see `cause`.
 * `EINVAL`: a key or a size that no store takes. `EBADF`: the store is not open.
 */
export type StoreErrorCode = "EDAMAGED" | "ENOTSUP" | "ENOENT" | "EBUSY" | "ENOSPC" | "EIO" | "EINVAL" | "EBADF"

export interface StoreErrorDetails {
  readonly file?: string
  /** In bytes, from the beginning of the file. */
  readonly offset?: number
  readonly cause?: unknown
  /** EDAMAGED of `open`: how many entries can be read all the same. */
  readonly salvageable?: number
}

/** What a store throws and rejects with. `code` says what may be done about it. */
export class StoreError extends Error {
  override readonly name = "StoreError"
  readonly code: StoreErrorCode
  readonly file: string | undefined
  readonly offset: number | undefined
  readonly salvageable: number | undefined

  constructor(code: StoreErrorCode, text: string, details: StoreErrorDetails = {}) {
    const { file, offset, cause, salvageable } = details
    const where = file === undefined ? "" : offset === undefined ? `${file}: ` : `${file}, byte ${offset}: `
    super(where + text, cause === undefined ? undefined : { cause })
    this.code = code
    this.file = file
    this.offset = offset
    this.salvageable = salvageable
  }
}

const FULL = ["ENOSPC", "EDQUOT", "EFBIG"]

/** What a disk rejected with, as an error of the store: ENOSPC, EBUSY or EIO, with it as the cause. An error of the store stays as it is. */
export function diskError(cause: unknown, file?: string): StoreError {
  if (cause instanceof StoreError) return cause
  const { code, message } = cause as NodeJS.ErrnoException
  if (code === "EBUSY") return new StoreError("EBUSY", message, { file, cause })
  return FULL.includes(code ?? "")
    ? new StoreError("ENOSPC", "the disk is full", { file, cause })
    : new StoreError("EIO", `the disk failed: ${message}`, { file, cause })
}

export const noSuchEntry = (key: number) => new StoreError("ENOENT", `there is no entry ${key}`)
export const notOpen = () => new StoreError("EBADF", "the store is not open")

/** Keys are whole numbers below this. */
const KEY_LIMIT = 2 ** 48

/** EINVAL for what is no key. */
export function checkKey(key: number): void {
  if (Number.isInteger(key) && key >= 0 && key < KEY_LIMIT) return
  throw new StoreError("EINVAL", `a key is a whole number from 0 to 2^48 - 1, not ${key}`)
}

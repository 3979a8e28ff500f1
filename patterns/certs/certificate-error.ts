/** What is wrong with a certificate, and where. */
import { ZmqError } from "../../src/index.js"

/**
 * A certificate that is not one, or a file that cannot be used: EINVAL (malformed: `path` and `line` say where), EACCES (a secret
 * that others may read), EEXIST (a file that is there already). No error shows a key, nor anything else that stands in a file.
 */
export class CertificateError extends ZmqError {
  /** The file; undefined: none was involved. */
  readonly path: string | undefined
  /** The line in it, from 1; undefined: the file as a whole. */
  readonly line: number | undefined

  constructor(code: "EINVAL" | "EACCES" | "EEXIST", detail: string, path?: string, line?: number) {
    const where = path === undefined ? "" : line === undefined ? `${path}: ` : `${path}:${line}: `
    super(code, { detail: where + detail })
    this.path = path
    this.line = line
  }
}

/** A temporary folder for each test. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach } from "vitest"

/** Gives a function that makes a path in a folder which is there until the end of the test. */
export function inFolder(): (name?: string) => string {
  let folder: string | null = null
  afterEach(() => {
    if (folder !== null) rmSync(folder, { recursive: true })
    folder = null
  })
  return (name = "") => {
    folder ??= mkdtempSync(join(tmpdir(), "peerlane-certs-"))
    return join(folder, name)
  }
}

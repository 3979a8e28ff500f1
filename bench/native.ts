/**
 * The C program on libzmq, where a C compiler and libzmq's headers are there: compiled into the bench's own temporary
 * folder, or `null` with the reason.
 */

import { execFile } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const run = promisify(execFile)
// From dist/bench: the C source stays where it is.
const source = fileURLToPath(new URL("../../bench/native/throughput.c", import.meta.url))

export interface Native {
  program: string
  /** Of the libzmq it is linked with. */
  version: string
}

export async function compileNative(folder: string): Promise<Native | { reason: string }> {
  const program = join(folder, "throughput")
  try {
    await run("cc", ["-O2", "-o", program, source, "-lzmq", "-lpthread"])
    const { stdout } = await run(program, ["version"])
    return { program, version: stdout.trim() }
  } catch (error) {
    const [line] = error instanceof Error ? error.message.split("\n").slice(1).concat(error.message) : [String(error)]
    return { reason: line || "cc failed" }
  }
}

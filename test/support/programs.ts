/**
 * Programs as a stranger has them: compiled as strictly as Peerlane itself in a folder of their own, in which it is an
 * installed package, and each run in a process of its own. Needs `npm run build`.
 */
import { execFile } from "node:child_process"
import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"

const root = fileURLToPath(new URL("../..", import.meta.url))
const AT_A_TIME = 2
/** Milliseconds for one program; they take a few seconds at most. */
export const LIMIT = 30_000

/** A fresh folder for programs, that has Peerlane and these packages of ours installed. */
export function programFolder(packages: string[] = []): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "peerlane-programs-")))
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`)
  mkdirSync(join(folder, "node_modules"))
  symlinkSync(root, join(folder, "node_modules", "peerlane"), "junction")
  for (const name of packages) {
    symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name), "junction")
  }
  return folder
}

/** What is wrong in a file, in which line of it, from 1. */
interface Mistake {
  file: string
  line: number
  text: string
}

/** Compiles the files of a folder, next to themselves. */
export function compile(folder: string, files: string[]): Mistake[] {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(
    { compilerOptions: { ...config.compilerOptions, rootDir: undefined, outDir: undefined, declaration: false } },
    ts.sys,
    folder,
  )
  const program = ts.createProgram(files, {
    ...options,
    inlineSourceMap: true,
    typeRoots: [join(root, "node_modules", "@types")],
  })
  const found = [...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics]
  return found.map(({ file, start, messageText }) => {
    const text = ts.flattenDiagnosticMessageText(messageText, "\n")
    if (file === undefined) throw new Error(text)
    return { file: file.fileName, line: file.getLineAndCharacterOfPosition(start ?? 0).line + 1, text }
  })
}

export interface Outcome {
  output: string
  errors: string
  /** Its exit code, or what ended it. */
  end: number | string
}

function run(file: string): Promise<Outcome> {
  return new Promise(resolve => {
    const parameters = ["--enable-source-maps", file]
    execFile(process.execPath, parameters, { timeout: LIMIT, killSignal: "SIGKILL" }, (error, output, errors) => {
      const end =
        error === null ? 0 : error.killed ? `killed after ${LIMIT} ms` : (error.code ?? error.signal ?? "failed")
      resolve({ output, errors, end })
    })
  })
}

/** Runs all these files, a few at a time, in their order. */
export function runAll(files: string[]): Map<string, Promise<Outcome>> {
  const lanes = Array.from({ length: AT_A_TIME }, () => Promise.resolve() as Promise<unknown>)
  const runs = new Map<string, Promise<Outcome>>()
  for (const [index, file] of files.entries()) {
    const lane = index % AT_A_TIME
    const outcome = lanes[lane]!.then(() => run(file))
    lanes[lane] = outcome
    runs.set(file, outcome)
  }
  return runs
}

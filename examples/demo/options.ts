/** The demo's command line. */
import { parseArgs } from "node:util"

const usage = `Usage: npm run demo -- [options]
  --files N    use N files of the corpus, evenly spread, in place of all
  --passes N   send them N times (30)
  --quick      the same as --files 300 --passes 2
  --help       this text`

export interface DemoOptions {
  files: number
  passes: number
}

/** What was asked for; null, with the usage printed and the exit code set, when there is nothing to run. */
export function readOptions(): DemoOptions | null {
  try {
    const { values } = parseArgs({
      options: {
        files: { type: "string" },
        passes: { type: "string" },
        quick: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    })
    if (!values.help) {
      return {
        files: readCount("--files", values.files) ?? (values.quick ? 300 : Number.POSITIVE_INFINITY),
        passes: readCount("--passes", values.passes) ?? (values.quick ? 2 : 30),
      }
    }
    console.log(usage)
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    process.exitCode = 2
  }
  return null
}

function readCount(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`${option} takes a whole number from 1 on, not "${text}"`)
  return Number(text)
}

/** `npm run crashes [-- jobs rounds seed]`: the drill of pipeline-crash.test.ts at full size, and its counts. */
import { crashDrill } from "./crash-drill.js"

const [jobs = 100_000, rounds = 300, seed = 1] = process.argv.slice(2).map(Number)
const counts = await crashDrill(jobs, rounds, seed)
console.log(JSON.stringify(counts, null, 2))
if (counts.lost > 0 || counts.accepted !== jobs || counts.dead > 0 || counts.left > 0) process.exitCode = 1

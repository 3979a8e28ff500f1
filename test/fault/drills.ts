/**
 * `npm run drills [-- word…]`: all attacks at full size, or those with one of these words in their name, and a table of their figures. The exit code
 * is 1 when a healthy peer fell below half of its rate, or memory did not come back.
 */
import { attacks } from "./attack-list.js"
import { drill } from "./drill.js"

const HOLD_MS = 3_000
const words = process.argv.slice(2)
const chosen = attacks.filter(({ name }) => words.length === 0 || words.some(word => name.includes(word)))

console.log(
  "| attack | size | rate before | during | after | MiB before, during, after | opened, ended | refused | seconds |",
)
console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
for (const attack of chosen) {
  const result = await drill(attack, attack.full, HOLD_MS)
  const { before, during, after, memory, opened, ended, refused, seconds } = result
  const share = Math.round((100 * during) / before)
  if (!(share >= 50) || !result.cameBack) process.exitCode = 1
  const limits = Object.entries(refused)
    .filter(([name, count]) => name !== "total" && count > 0)
    .map(([name, count]) => `${name} ${count}`)
  console.log(
    `| ${attack.name} | ${result.size} | ${before} | ${during} (${share} %) | ${after} | ${memory.join(", ")} | ${opened}, ${ended} | ${limits.join(", ") || "-"} | ${seconds.toFixed(1)} |`,
  )
}

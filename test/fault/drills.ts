/**
 * `npm run drills [name]`: all attacks at full size, or those whose name has this in it, and a table of their figures. The exit code
 * is 1 when a healthy peer fell below half of its rate, or memory did not come back.
 */
import { attacks } from "./attack-list.js"
import { drill } from "./drill.js"

const HOLD_MS = 3_000
const chosen = attacks.filter(({ name }) => name.includes(process.argv[2] ?? ""))

console.log(
  "| attack | size | rate before | during | after | MiB before, during, after | opened, ended | refused | seconds |",
)
console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
for (const attack of chosen) {
  const result = await drill(attack, attack.full, HOLD_MS)
  const { before, during, after, memory, opened, ended, refused, seconds } = result
  const share = Math.round((100 * during) / before)
  if (share < 50 || !result.cameBack) process.exitCode = 1
  const limits = Object.entries(refused)
    .filter(([name, count]) => name !== "total" && count > 0)
    .map(([name, count]) => `${name} ${count}`)
  console.log(
    `| ${attack.name} | ${result.size} | ${before} | ${during} (${share} %) | ${after} | ${memory.join(", ")} | ${opened}, ${ended} | ${limits.join(", ") || "-"} | ${seconds.toFixed(1)} |`,
  )
}

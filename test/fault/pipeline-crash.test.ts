/** kill -9 of a producer and its workers while jobs run: each job that was accepted is handled. Full size: `npm run crashes`. */
import { expect, it } from "vitest"
import { crashDrill } from "./crash-drill.js"

const JOBS = 3000

it("every job whose send resolved is handled, however its producer and its workers are killed", {
  timeout: 60_000,
}, async () => {
  const counts = await crashDrill(JOBS, 20, 5)
  expect(counts).toMatchObject({ accepted: JOBS, handled: JOBS, lost: 0, dead: 0, left: 0 })
  const { producer, opening, worker, all } = counts.kills
  expect(producer + worker + all).toBe(20)
  for (const kills of [producer, opening, worker, all]) expect(kills).toBeGreaterThan(0)
})

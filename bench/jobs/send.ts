/** Sends so many jobs, with so many in flight. */

import { now } from "./clock.js"
import { newJob, type Sender } from "./driver.js"

export async function sendAll(sender: Sender, first: number, count: number, inFlight: number): Promise<void> {
  let next = first
  const end = first + count
  const work = async () => {
    while (next < end) {
      const sent = sender.send(newJob(next++, 0))
      if (next === end) sender.flush?.()
      await sent
    }
  }
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, work))
}

/** The same, as many as are in flight in one call. */
export async function sendInBulk(sender: Sender, first: number, count: number, inFlight: number): Promise<void> {
  const end = first + count
  for (let next = first; next < end; next += inFlight) {
    const jobs = Array.from({ length: Math.min(inFlight, end - next) }, (_, at) => newJob(next + at, 0))
    await sender.sendAll!(jobs)
  }
}

/** One at a time, each with the time of its send, and with a rest behind it. */
export async function sendAtRate(sender: Sender, first: number, count: number, rest: number): Promise<void> {
  for (let n = first; n < first + count; n++) {
    await sender.send(newJob(n, now()))
    await new Promise<void>(resolve => setTimeout(resolve, rest))
  }
}

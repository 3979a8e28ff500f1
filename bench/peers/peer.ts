/**
 * What every peer process does besides its task: it reads the task from its arguments, reports to the harness that
 * forked it, takes orders, and ends with code 1 and the error on stderr when anything goes wrong.
 */

import type { Order, Report } from "../reports.js"

/** The harness, as a peer sees it. */
export interface Harness {
  report(report: Report): void
  /** Waits for that order. */
  order(order: Order): Promise<void>
}

/** Runs the task of this process and exits. */
export function runPeer<Task>(main: (task: Task, harness: Harness) => Promise<void>): void {
  const orders = new Set<Order>()
  let wake: () => void = () => {}
  process.on("message", message => {
    orders.add(message as Order)
    wake()
  })
  process.on("disconnect", () => process.exit(1))
  const harness: Harness = {
    report(report) {
      process.send?.(report)
    },
    async order(order) {
      while (!orders.has(order)) await new Promise<void>(resolve => (wake = resolve))
    },
  }
  main(JSON.parse(process.argv[2] ?? "null") as Task, harness).then(
    () => process.exit(0),
    error => {
      console.error(error)
      process.exit(1)
    },
  )
}

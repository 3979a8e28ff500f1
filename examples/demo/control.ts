/**
 * Main's end of the control channel: one ROUTER, to which every child connects a DEALER whose routing id is its name.
 *
 * That a child has said hello is the only sign needed that it can be told something: nobody sleeps and hopes.
 */
import { Router } from "peerlane"
import { decode, encode, type Order, type Report } from "./protocol.js"

export type ReportOf<T extends Report["type"]> = Extract<Report, { type: T }>

export class Controller {
  readonly #router = new Router({ mandatory: true, linger: 1000 })

  /** Resolves to the endpoint for the children to connect to. */
  async bind(): Promise<string> {
    await this.#router.bind("tcp://127.0.0.1:*")
    return this.#router.lastEndpoint!
  }

  /** EHOSTUNREACH when that child is not connected. */
  tell(child: string, order: Order): Promise<void> {
    return this.#router.send([child, encode(order)])
  }

  /** Resolves once each of these children has reported that, to the reports by the children's names. */
  async hear<T extends Report["type"]>(
    type: T,
    children: string[],
    signal: AbortSignal,
  ): Promise<Map<string, ReportOf<T>>> {
    const reports = new Map<string, ReportOf<T>>()
    while (reports.size < children.length) {
      const [name, frame] = await this.#router.receive({ signal })
      const child = String(name)
      const report = decode<Report>(frame)
      if (report.type !== type || !children.includes(child)) {
        throw new Error(
          `${child} reported "${report.type}" while main waited for "${type}" from ${children.join(", ")}`,
        )
      }
      reports.set(child, report as ReportOf<T>)
    }
    return reports
  }

  close(): Promise<void> {
    return this.#router.close()
  }
}

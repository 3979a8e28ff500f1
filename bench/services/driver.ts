/** What the bench wants of each way to call another process, so that one server and one client process do for all of them. */

export const serviceEngines = ["peerlane", "peerlane-zeromq", "req-rep", "dealer-router", "http", "grpc"] as const
/** `peerlane-zeromq` is Peerlane's service on the sockets of the `zeromq` package; the next two are programs on those sockets. */
export type ServiceEngine = (typeof serviceEngines)[number]

export interface HttpSetup {
  readonly engine: "http"
  readonly connections: number
  /** Calls on their way over one connection, at most. */
  readonly pipelining: number
}

/** How a client is set up. */
export type Setup = HttpSetup | { readonly engine: Exclude<ServiceEngine, "http"> }

export interface Pair {
  readonly a: number
  readonly b: number
}

export interface Caller {
  /** Resolves with a + b, as the server has it. */
  add(pair: Pair): PromiseLike<number>
}

export interface Reader {
  /** Hands over so many items of a stream as they come; the server numbers them from 0 on. */
  count(items: number, each: (item: number) => void): Promise<void>
}

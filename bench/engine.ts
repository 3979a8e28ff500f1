/**
 * The engines a bench can measure, and the part of their API that it uses. `zeromq` and Peerlane have the same classes,
 * so a loop written once against `Engine` runs on either; what only Peerlane has (`trySend`, `batches`) is optional
 * here and used where it is present. Peerlane is imported by its package name, as a user of it would.
 */

export const engineNames = ["peerlane", "zeromq", "raw", "c"] as const
/** `raw` is plain `node:net`; `c` is our C program on libzmq. */
export type EngineName = (typeof engineNames)[number]
/** The engines that are JavaScript packages with ZeroMQ sockets. */
export type PackageName = "peerlane" | "zeromq"

export interface Endpoint {
  readonly lastEndpoint: string | null
  bind(address: string): Promise<void>
  connect(address: string): void
  close(): unknown
}

export interface Sender {
  send(message: Buffer | Buffer[]): Promise<void>
  trySend?(message: Buffer | Buffer[]): boolean
}

export interface Receiver {
  receive(): Promise<Buffer[]>
  [Symbol.asyncIterator](): AsyncIterator<Buffer[], unknown>
  batches?(): AsyncIterable<Buffer[][]>
}

export interface Engine {
  readonly version: string
  readonly context: { maxSockets: number }
  readonly Push: new (options?: object) => Endpoint & Sender
  readonly Pull: new (options?: object) => Endpoint & Receiver
  readonly Publisher: new (options: { noDrop: boolean }) => Endpoint & Sender
  readonly Subscriber: new () => Endpoint & Receiver & { subscribe(...topics: string[]): void }
  readonly Request: new () => Endpoint & Sender & Receiver
  readonly Reply: new () => Endpoint & Sender & Receiver
  readonly Router: new () => Endpoint & Sender & Receiver
  /** Of two sockets of the same engine, which no type that both engines have can say. */
  readonly Proxy: new (
    frontEnd: never,
    backEnd: never,
  ) => { run(): Promise<void>; terminate(): void }
  readonly Dealer: new () => Endpoint & Sender & Receiver
}

export async function loadEngine(name: PackageName): Promise<Engine> {
  if (name === "zeromq") return import("zeromq")
  // Not a literal: the bench compiles, and says what is missing, where the package has not been built.
  const self: string = "peerlane"
  return import(self)
}

/** Whether the engine has the fast pair of `trySend` and `batches`. */
export function hasFastLoop(engine: Engine): boolean {
  return "trySend" in engine.Push.prototype && "batches" in engine.Pull.prototype
}

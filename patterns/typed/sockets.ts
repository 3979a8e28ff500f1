/**
 * What a typed pattern asks of the sockets it stands on: no more than Peerlane, the `zeromq` package and the simulated
 * network all have. No metadata, no notices of connections; several sends at a time are not allowed, either. What only some
 * engines have is marked by a question mark.
 */

export interface TypedSocket {
  readonly closed: boolean
  /** Frames are strings or bytes. One send at a time. */
  send(message: (Uint8Array | string)[]): Promise<void>
  /** Ends when the socket is closed. */
  [Symbol.asyncIterator](): AsyncIterator<Buffer[]>
  close(): unknown
}

export interface TypedRouter extends TypedSocket {
  bind(address: string): Promise<void>
  /** The address that was bound last, with the port that was chosen. */
  readonly lastEndpoint: string | null
  /** The peer of a routing id, where the engine knows who that is. */
  peer?(routingId: Buffer): { readonly userId: string | null } | null
}

export interface TypedDealer extends TypedSocket {
  connect(address: string): void
}

/** The part of the `peerlane` and `zeromq` modules that typed patterns use; `import * as zeromq from "zeromq"` is one. */
export interface Sockets {
  readonly Router: new (
    // biome-ignore lint/suspicious/noExplicitAny: the options of either engine
    options?: any,
  ) => TypedRouter
  readonly Dealer: new (
    // biome-ignore lint/suspicious/noExplicitAny: the options of either engine
    options?: any,
  ) => TypedDealer
}

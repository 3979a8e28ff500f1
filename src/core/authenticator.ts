/** Who decides whether a peer may come in, seen from a connection. */
import type { PeerCertificate } from "../transport/transport.js"
import type { Answer, Credentials } from "../wire/mechanism.js"

/** What is asked about a peer. */
export interface AuthenticationRequest extends Credentials {
  /** The numeric address of the peer, without a port; `localhost` over ipc. */
  readonly address: string
  /** What the peer has shown over TLS; null: nothing, or it was not asked to. */
  readonly certificate: PeerCertificate | null
}

export interface Authenticator {
  /** Answers once, at any time. */
  ask(request: AuthenticationRequest, answer: (answer: Answer) => void): void
}

/** The address in an endpoint such as `tcp://127.0.0.1:40312` or `tcp://[::1]:40312`. */
export function addressOf(remote: string): string {
  const host = /^[a-z+]+:\/\/\[?([^\]/]*?)\]?:\d+$/.exec(remote)?.[1]
  return host ?? "localhost"
}

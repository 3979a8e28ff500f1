/**
 * The server's side of a mechanism asks whoever decides about a peer (27/ZAP), and waits. What comes of it is a verdict to
 * go on with, or a way to end: with an ERROR command for the peer and the same error here, or in silence.
 */
import { AuthError, type ProtocolError, ZmqError } from "../errors.js"
import type { Credentials, MechanismHost, Verdict } from "./mechanism.js"
import { encodeError } from "./refusal.js"

export class Asking {
  /** 200: the peer is let in. */
  verdict: Verdict | null = null
  /** When there was a refusal that the peer is to be told; null: there was none. */
  refusedAt: number | null = null
  private fault: ProtocolError | ZmqError | AuthError | null = null
  private farewell: Uint8Array | null = null

  constructor(
    private readonly host: MechanismHost,
    /** Makes the command that refuses. */
    private readonly say: (reason: string) => Uint8Array = encodeError,
  ) {}

  /** Asks, and calls the host when there is an answer. */
  ask(credentials: Credentials): void {
    const { host } = this
    if (host.ask === null) {
      this.fault = new ZmqError("EFAULT", {
        detail: `${credentials.mechanism} wants an authenticator, and there is none`,
      })
      return
    }
    let answered = false
    host.ask(credentials, (answer, now) => {
      if (answered) return
      answered = true
      if (answer instanceof Error) this.fault = answer
      else if (answer.status === 200) this.verdict = answer
      else this.refuse(answer.status, now)
      host.proceed(now)
    })
  }

  /** What is to be said for a refusal; null: nothing. Throws when all is said. */
  next(): Uint8Array | null {
    const { farewell, fault } = this
    this.farewell = null
    if (farewell !== null) return farewell
    if (fault !== null) throw fault
    return null
  }

  private refuse(status: 300 | 400 | 500, now: number): void {
    const error = new AuthError(status, `the peer was refused with status ${status}`)
    // libzmq: whoever is refused for now is told nothing, and left to wait.
    if (status === 300) {
      this.host.report(error)
      return
    }
    this.refusedAt = now
    this.fault = error
    this.farewell = this.say(String(status))
  }
}

/**
 * What an inproc endpoint has to do with other threads: peers there that connected to its name, or the one whose name it
 * connects to. Each has a session on a stream between the threads, as peers outside of the process have. As anywhere on
 * inproc there are no events, and what was lost is not tried again.
 */
import { ProtocolError } from "../errors.js"
import type { Pipe } from "../pipe/pipe.js"
import type { ByteStream } from "../transport/transport.js"
import type { PeerInfo } from "../wire/engine.js"
import { nullMechanism } from "../wire/null.js"
import { Acceptor } from "./acceptor.js"
import { type ConnectionHost, type EndpointOptions, owes } from "./connection-host.js"
import type { Link } from "./link.js"
import type { Timer } from "./runtime.js"
import { Session, type SessionOwner } from "./session.js"
import type { Seeker, ThreadNames } from "./thread-names.js"

/** Milliseconds before a name is looked for again whose thread was lost on the way. */
const AGAIN = 100
/** Milliseconds that a socket goes on looking for a name that it has sent to, when it is closed or nothing else is left to do. */
export const GRACE = 100

/** The inproc endpoint that this is of. */
export interface ThreadUser {
  /** The name was found in another thread: it need not be waited for here. */
  foundOutside(): void
  /** The thread that had it was lost on the way: the name is waited for again. */
  missedOutside(): void
  /** That peer is gone for good. */
  lostOutside(): void
}

export class ThreadEndpoint implements SessionOwner, Seeker {
  private readonly options: EndpointOptions
  private acceptor: Acceptor | null = null
  /** What was sent to the name so far waits in the pipe of this. */
  private link: Link | null = null
  private session: Session | null = null
  private timer: Timer | null = null
  private done: (() => void) | null = null

  constructor(
    private readonly names: ThreadNames,
    private readonly host: ConnectionHost,
    private readonly name: string,
    options: EndpointOptions,
    private readonly user: ThreadUser,
  ) {
    this.options = Object.assign(Object.create(options) as EndpointOptions, {
      mechanism: nullMechanism,
      authenticator: null,
      maxMessageSize: -1,
      // The end of a thread is told; and one that is busy for long is still no stranger.
      handshakeInterval: 0,
      heartbeatInterval: 0,
    })
  }

  /** Takes the name among all threads. Rejects with EADDRINUSE when another has it. */
  async bind(): Promise<void> {
    const acceptor = this.listening()
    await acceptor.start()
    this.acceptor = acceptor
  }

  /** The same without asking the others. */
  bindNow(): void {
    this.acceptor = this.listening()
    this.acceptor.startSync()
  }

  /** Frees the name; connections stay. */
  unbind(): void {
    this.acceptor?.stopListening()
  }

  /** Looks for the name in other threads, for a link that has no peer yet. */
  seek(link: Link): void {
    this.link = link
    this.names.seek(this.name, this)
  }

  /** Looks no further. */
  forget(): void {
    this.timer?.cancel()
    this.names.forget(this.name, this)
    this.link = null
  }

  onFound(stream: ByteStream): void {
    this.timer?.cancel()
    this.user.foundOutside()
    const mark = Session.unwrittenMark(this.options.conflate)
    // The first message waits in the pipe already.
    const options = Object.assign(Object.create(this.options) as EndpointOptions, { helloMessage: null })
    this.session = new Session(this.host.context, options, mark, stream, this)
  }

  /** The peers that connected to the name. */
  get links(): Link[] {
    return this.acceptor?.links ?? []
  }

  /** Whether what was sent is for another thread, and still here. */
  get pending(): boolean {
    return (this.session !== null && owes((this.link as Link).pipe)) || (this.acceptor?.pending ?? false)
  }

  /** Whether something was sent to a name that another thread may have. */
  get searching(): boolean {
    return this.session === null && this.link !== null && owes(this.link.pipe) && this.names.heard
  }

  /** Ends in order, and calls `done` when what was sent is on its way. */
  close(done: () => void): void {
    let left = 2
    const one = () => {
      if (--left === 0) done()
    }
    if (this.acceptor === null) one()
    else this.acceptor.close(one)
    this.done = one
    if (this.session !== null) {
      if (this.session.pipe !== null) this.session.finish()
    } else if (this.link !== null && owes(this.link.pipe)) {
      this.timer?.cancel()
      this.timer = this.host.context.runtime.after(GRACE, () => this.giveUp())
    } else this.giveUp()
  }

  abort(): void {
    this.acceptor?.abort()
    // What was sent to a name that is still looked for is for whoever has it, whatever linger says.
    if (this.session !== null) this.cut(null)
  }

  /** Ends the connection that was found. */
  cut(error: Error | null): void {
    this.link?.pipe.dropOutbound("closed")
    this.session?.abort(error)
  }

  /** Ends it when what was sent is on its way. */
  finish(): void {
    this.session?.finish()
  }

  flushNow(): void {
    this.acceptor?.flushNow()
    this.session?.pull()
    this.session?.flush()
  }

  marksChanged(): void {
    this.acceptor?.marksChanged()
  }

  onConnected(): void {}

  onReady(session: Session, peer: PeerInfo): Pipe {
    const link = this.link as Link
    this.host.describe(link, peer, session.stream)
    this.host.peerReady(link, peer)
    if (this.done !== null) this.host.context.runtime.soon(() => session.finish())
    return link.pipe
  }

  /** Nobody is asked about other threads. */
  onDeferred(): void {}

  onEnded(_session: Session, error: Error | null, handshaking: boolean): void {
    if (handshaking && !(error instanceof ProtocolError) && this.done === null) {
      this.session = null
      this.timer = this.host.context.runtime.after(AGAIN, () => this.names.seek(this.name, this))
      this.user.missedOutside()
    } else this.over()
  }

  onFinished(): void {
    this.over()
  }

  private listening(): Acceptor {
    const { host, names, name, options } = this
    return new Acceptor(host, names, name, `inproc://${name}`, options, "inproc")
  }

  /** Nobody was found. */
  private giveUp(): void {
    this.forget()
    const { done } = this
    this.done = null
    done?.()
  }

  private over(): void {
    if (this.session === null) return
    this.session = null
    this.user.lostOutside()
    this.done?.()
  }
}

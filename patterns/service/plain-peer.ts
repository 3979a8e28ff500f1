/**
 * A client's side of a server that is a plain REP socket: one question at a time, JSON there and JSON back. It says nothing of itself,
 * so it counts as there until a question was not answered in time; then the connection is made anew, as the answer may come yet.
 */
import { peerFault, TypedError } from "../typed/error.js"
import { objectOf } from "../typed/protocol.js"
import type { Sockets, TypedDealer } from "../typed/sockets.js"
import { remoteErrorOf } from "./failure.js"
import type { Outgoing } from "./outgoing.js"
import type { Peer, PeerSink } from "./peer.js"

export class PlainPeer implements Peer {
  served = 0
  private current: Outgoing | null = null
  private dealer: TypedDealer | null = null
  private readonly readers = new Set<Promise<void>>()
  private isClosed = false

  constructor(
    readonly address: string,
    private readonly sockets: Sockets,
    private readonly options: object,
    private readonly sink: PeerSink,
  ) {}

  get underWay(): Iterable<Outgoing> {
    return this.current === null ? [] : [this.current]
  }

  get busy(): number {
    return this.current === null ? 0 : 1
  }

  get isThere(): boolean {
    return !this.isClosed
  }

  get isAble(): boolean {
    return this.isThere && this.current === null
  }

  start(): void {
    const dealer = new this.sockets.Dealer({ immediate: true, linger: 0, ...this.options })
    try {
      dealer.connect(this.address)
    } catch (error) {
      void dealer.close()
      throw error
    }
    this.dealer = dealer
    const reader = this.read(dealer).finally(() => this.readers.delete(reader))
    this.readers.add(reader)
  }

  send(call: Outgoing): void {
    call.peer = this
    this.current = call
    void this.ask(call, this.dealer!)
  }

  private async ask(call: Outgoing, dealer: TypedDealer): Promise<void> {
    try {
      await dealer.send(["", questionOf(call)])
    } catch (error) {
      if (dealer !== this.dealer || this.isClosed) return // It was given up, and its call with it.
      this.current = null
      call.fail(error)
    }
  }

  private async read(dealer: TypedDealer): Promise<void> {
    for await (const message of dealer) {
      if (dealer !== this.dealer) return
      const call = this.current
      this.current = null
      if (call === null) this.sink.onTrouble(this.address, new TypedError("EPROTO", `${this.address} was not asked`))
      else answer(call, message)
      this.sink.onChange()
    }
  }

  /** What it says would be taken for the answer to the next question: that one goes over a connection of its own. */
  cancel(call: Outgoing): void {
    if (this.current !== call) return
    this.current = null
    void this.dealer?.close()
    this.start()
  }

  addCredit(): void {}

  /** It has no words for that. */
  describe(): Promise<null> {
    return Promise.resolve(null)
  }

  async close(): Promise<void> {
    this.isClosed = true
    const call = this.current
    this.current = null
    await this.dealer?.close()
    await Promise.all(this.readers)
    if (call !== null) this.sink.onLost(this, [call])
  }
}

function questionOf({ request }: Outgoing): string {
  const { method, argument, ends, begun, context } = request
  const timeout = ends - begun < Number.MAX_SAFE_INTEGER ? `,"timeout":${Math.ceil(ends - begun)}` : ""
  const texts = context === undefined ? "" : `,"context":${JSON.stringify(context)}`
  const body = argument === null ? "" : `,"argument":${Buffer.from(argument as Uint8Array).toString()}`
  return `{"method":${JSON.stringify(method)}${timeout}${texts}${body}}`
}

function answer(call: Outgoing, message: Buffer[]): void {
  try {
    const { result, error } = objectOf(message[1])
    if (error === undefined || error === null) call.result(0, Buffer.from(JSON.stringify(result ?? null)))
    else
      call.fail(
        remoteErrorOf(typeof error === "object" ? (error as Record<string, unknown>) : { message: String(error) }),
      )
  } catch (error) {
    call.fail(peerFault(error))
  }
}

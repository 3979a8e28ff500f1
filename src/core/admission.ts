/**
 * Who came by the bound endpoints of one socket, and who may still come: connections that shake hands, oldest first, peers
 * whose handshake is done, and how many of both there are of one address. The limits are those of the endpoint by which one
 * comes; what is counted is all of the socket.
 */
import { type LimitName, ZmqError } from "../errors.js"
import { addressOf } from "./authenticator.js"

/** Limits of one endpoint; 0: none. */
export interface AdmissionLimits {
  readonly maxPeers: number
  readonly maxPeersPerAddress: number
  readonly maxHandshakes: number
}

/** A connection: a session. */
interface Comer {
  readonly stream: { readonly remote: string }
  abort(error: Error): void
}

export class Admission {
  /** Peers whose handshake is done. */
  private peers = 0
  /** Those that still shake hands, in the order in which they came. */
  private readonly handshaking = new Set<Comer>()
  /** Connections by address, of endpoints that limit them; null: none does. */
  private addresses: Map<string, number> | null = null

  /** Why a connection cannot come in; null: it can. */
  refusal(stream: Comer["stream"], { maxPeers, maxPeersPerAddress }: AdmissionLimits): ZmqError | null {
    if (maxPeers > 0 && this.peers >= maxPeers) return tooManyPeers(maxPeers)
    if (maxPeersPerAddress === 0) return null
    const address = addressOf(stream.remote)
    const count = this.addresses?.get(address) ?? 0
    if (count < maxPeersPerAddress) return null
    return beyond("maxPeersPerAddress", `${address} has ${count} connections`)
  }

  /** A connection came, and begins to shake hands; the oldest that does so may have to go for it. */
  came(comer: Comer, { maxHandshakes, maxPeersPerAddress }: AdmissionLimits): void {
    this.handshaking.add(comer)
    if (maxPeersPerAddress > 0) this.count(comer, 1)
    if (maxHandshakes === 0 || this.handshaking.size <= maxHandshakes) return
    const [oldest] = this.handshaking
    oldest?.abort(beyond("maxHandshakes", `more than ${maxHandshakes} connections shake hands, and this is the oldest`))
  }

  /** Its handshake is done. False: the room for it was taken meanwhile, and it is ended. */
  joins(comer: Comer, { maxPeers }: AdmissionLimits): boolean {
    if (maxPeers > 0 && this.peers >= maxPeers) {
      comer.abort(tooManyPeers(maxPeers))
      return false
    }
    this.handshaking.delete(comer)
    this.peers++
    return true
  }

  /** A connection is over. */
  left(comer: Comer, { maxPeersPerAddress }: AdmissionLimits): void {
    if (!this.handshaking.delete(comer)) this.peers--
    if (maxPeersPerAddress > 0) this.count(comer, -1)
  }

  private count({ stream }: Comer, change: number): void {
    this.addresses ??= new Map()
    const address = addressOf(stream.remote)
    const count = (this.addresses.get(address) ?? 0) + change
    if (count > 0) this.addresses.set(address, count)
    else this.addresses.delete(address)
  }
}

function tooManyPeers(maxPeers: number): ZmqError {
  return beyond("maxPeers", `${maxPeers} peers are there`)
}

/** Why a peer is not let in, as events tell it. */
function beyond(limit: LimitName, detail: string): ZmqError {
  return new ZmqError("EMFILE", { limit, detail })
}

/** How much one peer may ask a publisher for: so many topics (or groups), and so many bytes in all of them. */
import { ProtocolError } from "../src/index.js"

export interface SubscriptionLimits {
  /** 0: no limit. */
  readonly maxSubscriptions: number
  readonly maxSubscriptionBytes: number
}

/** What a peer does wrong that comes to have so many of them; null: nothing. */
export function excess(
  { maxSubscriptions, maxSubscriptionBytes }: SubscriptionLimits,
  count: number,
  bytes: number,
): ProtocolError | null {
  if (maxSubscriptions > 0 && count > maxSubscriptions) {
    return new ProtocolError("ERR_ZMTP_UNSPECIFIED", `more than ${maxSubscriptions} subscriptions`, "maxSubscriptions")
  }
  if (maxSubscriptionBytes === 0 || bytes <= maxSubscriptionBytes) return null
  const detail = `subscriptions of more than ${maxSubscriptionBytes} bytes`
  return new ProtocolError("ERR_ZMTP_UNSPECIFIED", detail, "maxSubscriptionBytes")
}

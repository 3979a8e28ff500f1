/** Subscriptions as an XPUB receives and an XSUB sends them, and what the application of a manual XPUB makes of them. */
import type { zmq } from "./engine.js"

export const on = (topic: string) => `\u0001${topic}`
export const off = (topic: string) => `\u0000${topic}`

/** In manual mode the application sets a peer's topics; zeromq.js has no method for it, only the option underneath. */
export function apply(
  pub: InstanceType<typeof zmq.XPublisher>,
  change: "subscribe" | "unsubscribe",
  topic: string,
): void {
  const raw = pub as unknown as Record<string, (...values: unknown[]) => void>
  if (raw[change]) raw[change](topic)
  else raw.setStringOption!(change === "subscribe" ? 6 : 7, topic)
}

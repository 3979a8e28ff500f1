/** An endpoint is `scheme://address`; what the address means is up to the transport. */
import { ZmqError } from "../errors.js"

export interface Endpoint {
  readonly scheme: string
  readonly address: string
}

/** Splits an endpoint. Throws EINVAL when it has no `://` or nothing on one of its sides. */
export function parseEndpoint(endpoint: string): Endpoint {
  const at = endpoint.indexOf("://")
  if (at <= 0 || at + 3 === endpoint.length) {
    throw new ZmqError("EINVAL", {
      address: endpoint,
      detail: "expected scheme://address, such as tcp://127.0.0.1:5555",
    })
  }
  return { scheme: endpoint.slice(0, at), address: endpoint.slice(at + 3) }
}

/** What TLS is proven by, as the options of a socket have it now. Private in a way that no debugger shows. */
import type { TlsCredentials } from "../transport/transport.js"
import type { OptionStore } from "./option-access.js"

export class Credentials implements TlsCredentials {
  readonly #values: OptionStore["values"]

  constructor(values: OptionStore["values"]) {
    this.#values = values
  }

  get certificate() {
    return this.#values.tlsCertPem
  }

  get key() {
    return this.#values.tlsKeyPem
  }

  get trust() {
    return this.#values.tlsTrustPem
  }
}

/**
 * What TLS is spoken with: certificates, keys and authorities given as PEM text, checked one by one, so that an error says
 * which of them is wrong. No error shows a key.
 */
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls"
import { ZmqError } from "../errors.js"
import type { TlsCredentials, TransportOptions } from "./transport.js"

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** The context that was made last, and of what: most sockets make many connections with one. */
interface Made {
  readonly of: TlsCredentials
  readonly minVersion: string
  readonly context: SecureContext
}

const made = new WeakMap<TlsCredentials, Made>()

/** The context of a connecting side, made anew when what it is made of has changed. Throws EINVAL. */
export function contextOf(options: TransportOptions, endpoint: string): SecureContext {
  const { credentials, tlsMinVersion: minVersion } = options
  const last = made.get(credentials)
  if (last !== undefined && last.minVersion === minVersion && same(last.of, credentials)) return last.context
  const context = createSecureContext(settingsOf(options, endpoint))
  made.set(credentials, { of: copyOf(credentials), minVersion, context })
  return context
}

/** Checked settings of a context. Throws EINVAL that says what is wrong. */
export function settingsOf(options: TransportOptions, endpoint: string): SecureContextOptions {
  const { certificate, key, trust } = options.credentials
  const invalid = (detail: string) => new ZmqError("EINVAL", { address: endpoint, detail })
  if (certificate === null && key !== null) throw invalid("tlsKeyPem takes tlsCertPem, which is not set")
  if (certificate !== null && key === null) throw invalid("tlsCertPem takes tlsKeyPem, which is not set")
  if (certificate !== null) certificatesOf(certificate, "tlsCertPem", invalid)
  if (trust !== null) certificatesOf(trust, "tlsTrustPem", invalid)
  if (key !== null) attempt({ key }, reason => invalid(`tlsKeyPem is no private key as PEM text (${reason})`))
  const settings: SecureContextOptions = { minVersion: options.tlsMinVersion }
  if (certificate !== null && key !== null) Object.assign(settings, { cert: certificate, key })
  if (trust !== null) settings.ca = trust
  attempt(settings, reason => invalid(`tlsKeyPem does not fit tlsCertPem (${reason})`))
  return settings
}

/** Each of them is looked at, as Node passes over what it cannot read. */
function certificatesOf(text: string, name: string, invalid: (detail: string) => ZmqError): void {
  const blocks = text.match(CERTIFICATES)
  if (blocks === null) throw invalid(`${name} is no certificate as PEM text`)
  for (const cert of blocks)
    attempt({ cert }, reason => invalid(`${name} holds a certificate that is none (${reason})`))
}

function attempt(settings: SecureContextOptions, failed: (reason: string) => ZmqError): void {
  try {
    createSecureContext(settings)
  } catch (error) {
    // The code alone: what else an error holds is not known to be without a secret.
    throw failed(String((error as { code?: unknown }).code))
  }
}

export function same(one: TlsCredentials, other: TlsCredentials): boolean {
  return one.certificate === other.certificate && one.key === other.key && one.trust === other.trust
}

export function copyOf({ certificate, key, trust }: TlsCredentials): TlsCredentials {
  return { certificate, key, trust }
}

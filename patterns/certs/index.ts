/** `peerlane/certs`: the certificate files of CZMQ, for the keys of CURVE. */
export { type Certificate, type CertificateOptions, createCertificate } from "./certificate.js"
export { CertificateError } from "./certificate-error.js"
export {
  type LoadOptions,
  loadCertificate,
  loadCertificates,
  loadPublicKeys,
  type SaveOptions,
  saveCertificate,
} from "./files.js"

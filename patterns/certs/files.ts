/**
 * Certificates as files, as CZMQ keeps them: `alice.cert` for everybody, and `alice.cert_secret` beside it, which has the secret
 * key as well and is its owner's alone (mode 0600). A file is written whole or not at all: to a folder of its own beside the
 * place, with the mode it is to have, and from there moved into the place.
 */
import { constants } from "node:fs"
import { access, type FileHandle, link, mkdtemp, open, readdir, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { type Certificate, parseCertificate, textsOf } from "./certificate.js"
import { CertificateError } from "./certificate-error.js"

export interface SaveOptions {
  /** Replace files that are there. Default false: EEXIST. */
  overwrite?: boolean
}

export interface LoadOptions {
  /** Take a secret file that others may read, as some ways to hand out secrets to containers have them. Default false: EACCES. */
  readableByOthers?: boolean
}

const SECRET = "_secret"
/** No certificate is longer, in bytes. */
const LONGEST = 65536
/** The permissions of whoever is not the owner. */
const OTHERS = 0o077
/** Public certificates in a folder, as CZMQ and as pyzmq name them. */
const PUBLIC_NAME = /^[^.].*\.(cert|key)$/

/**
 * Writes a certificate to `path` (`keys/alice.cert`), and with its secret key to `path` + `_secret`, which only its owner may read.
 * EEXIST when a file is there; EINVAL for what is no certificate; the codes of the file system. zcert_save.
 */
export async function saveCertificate(
  path: string,
  certificate: Certificate,
  { overwrite = false }: SaveOptions = {},
): Promise<void> {
  const { open, secret } = textsOf(certificate)
  const secretPath = path + SECRET
  if (!overwrite && (await exists(path))) throw exist(path)
  // Also when only the public part is written: it would not fit the secret that is there.
  if ((!overwrite || secret === null) && (await exists(secretPath))) throw exist(secretPath)
  if (secret !== null) await write(secretPath, secret, 0o600, overwrite)
  try {
    await write(path, open, 0o644, overwrite)
  } catch (error) {
    if (secret !== null && !overwrite) await rm(secretPath)
    throw error
  }
}

/**
 * Reads the certificate of `path`: with its secret key from `path` + `_secret` where that file is, else without from `path`. EINVAL
 * with `path` and `line` for a malformed one, EACCES for a secret that others may read, ENOENT for none. zcert_load.
 */
export async function loadCertificate(path: string, options: LoadOptions = {}): Promise<Certificate> {
  try {
    return await read(path + SECRET, options)
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOENT") throw error
  }
  return read(path, options)
}

/**
 * The public certificates in a folder, `*.cert` and `*.key`, in the order of their names; no secret file is opened. One that is
 * malformed fails all, as somebody would be locked out by it unnoticed.
 */
export async function loadCertificates(folder: string): Promise<Certificate[]> {
  const names = (await readdir(folder)).filter(name => PUBLIC_NAME.test(name)).sort()
  const certificates: Certificate[] = []
  for (const name of names) certificates.push(await read(join(folder, name), {}))
  return certificates
}

/** The public keys of {@link loadCertificates}, as the property `allow` of a socket takes them: the folder of zauth's CURVE. */
export async function loadPublicKeys(folder: string): Promise<string[]> {
  const certificates = await loadCertificates(folder)
  return certificates.map(({ publicKey }) => publicKey)
}

async function write(path: string, text: string, mode: number, overwrite: boolean): Promise<void> {
  const folder = await mkdtemp(`${path}.`)
  try {
    const whole = join(folder, "whole")
    const file = await open(whole, "wx", mode)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    if (overwrite) await rename(whole, path)
    else await linkNew(whole, path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Unlike a rename, this never replaces a file that came in between. */
async function linkNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    throw (error as { code?: string }).code === "EEXIST" ? exist(to) : error
  }
}

async function read(path: string, { readableByOthers = false }: LoadOptions): Promise<Certificate> {
  // A pipe by that name must not be waited for.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const { mode, text } = await contents(file, path)
    const certificate = parseCertificate(text, path)
    if (certificate.secretKey !== undefined && !readableByOthers && mode & OTHERS && process.platform !== "win32") {
      const now = (mode & 0o777).toString(8).padStart(4, "0")
      throw new CertificateError("EACCES", `a secret that others may read or write (mode ${now}); chmod 600`, path)
    }
    return certificate
  } finally {
    await file.close()
  }
}

async function contents(file: FileHandle, path: string): Promise<{ mode: number; text: string }> {
  const stat = await file.stat()
  if (!stat.isFile()) throw new CertificateError("EINVAL", "not a file", path)
  const bytes = Buffer.alloc(LONGEST + 1)
  let size = 0
  for (;;) {
    const { bytesRead } = await file.read(bytes, size, bytes.length - size)
    size += bytesRead
    if (size > LONGEST) throw new CertificateError("EINVAL", `a file of more than ${LONGEST} bytes`, path)
    if (bytesRead === 0) return { mode: stat.mode, text: bytes.toString("utf8", 0, size) }
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return false
    throw error
  }
}

function exist(path: string): CertificateError {
  return new CertificateError("EEXIST", "the file is there already", path)
}

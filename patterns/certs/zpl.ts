/**
 * The text of a certificate file, in the language of 4/ZPL as CZMQ writes it: a name a line, four spaces for each level, and after
 * `=` a value, in quotes or not. `#` begins a comment. What is read is a list of entries with their lines; what is wrong is an
 * error that names the line and never shows what stands there, which may be a secret.
 */
import { CertificateError } from "./certificate-error.js"

/** CZMQ reads so many bytes of a line. */
const LONGEST_LINE = 1024

const LINE = /^( *)([A-Za-z0-9$\-_@.&+/]*)\s*(.*)$/

export interface Entry {
  /** The names above it and its own: `curve/public-key`. */
  readonly path: string
  readonly value: string
  /** From 1. */
  readonly line: number
}

/** All entries in their order. EINVAL where the text is not ZPL. `file` is for the errors. */
export function readZpl(text: string, file: string): Entry[] {
  const entries: Entry[] = []
  const above: string[] = []
  for (const [index, raw] of text.split("\n").entries()) {
    const line = index + 1
    const [, indent = "", name = "", rest = ""] = LINE.exec(raw.trimEnd()) ?? []
    const wrong = (why: string) => new CertificateError("EINVAL", why, file, line)
    if (Buffer.byteLength(raw) > LONGEST_LINE) throw wrong(`a line of more than ${LONGEST_LINE} bytes`)
    if (name === "") {
      if (rest !== "" && !rest.startsWith("#"))
        throw wrong("expected a name, which may have letters, digits and $-_@.&+/")
      continue
    }
    const level = indent.length / 4
    if (!Number.isInteger(level)) throw wrong("expected an indent of four spaces for each level")
    if (level > above.length) throw wrong("an indent without a section above it")
    above.length = level
    above.push(name)
    entries.push({ path: above.join("/"), value: valueOf(rest, wrong), line })
  }
  return entries
}

function valueOf(rest: string, wrong: (why: string) => CertificateError): string {
  if (rest === "" || rest.startsWith("#")) return ""
  if (!rest.startsWith("=")) throw wrong("expected = after the name")
  const value = rest.slice(1).trimStart()
  const [quote] = value
  if (quote !== '"' && quote !== "'") return value.replace(/\s*#.*$/, "")
  const end = value.indexOf(quote, 1)
  if (end < 0) throw wrong("a quote that does not end")
  if (!/^\s*(#.*)?$/.test(value.slice(end + 1))) throw wrong("something stands after the value")
  return value.slice(1, end)
}

/** A line of a section. EINVAL for a name or value that ZPL cannot say. */
export function zplLine(name: string, value: string): string {
  const wrong = (why: string) => new CertificateError("EINVAL", `${why} in ${JSON.stringify(name)}`)
  if (!/^[A-Za-z0-9$\-_@.&+]+$/.test(name))
    throw wrong("a name may have letters, digits and $-_@.&+; other characters are")
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what a line cannot hold
  if (/[\u0000-\u001f\u007f]/.test(value)) throw wrong("there are control characters")
  const quote = value.includes('"') ? "'" : '"'
  if (value.includes(quote)) throw wrong("there are quotes of both kinds")
  const line = `    ${name} = ${quote}${value}${quote}\n`
  if (Buffer.byteLength(line) > LONGEST_LINE) throw wrong(`there are more than ${LONGEST_LINE} bytes`)
  return line
}

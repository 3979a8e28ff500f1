/** What the parts of docs/surface.md have in common: tables in Markdown, and how things are called in them. */
import ts from "typescript"

export interface Section {
  readonly title: string
  /** What stands above its table. */
  readonly text?: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export function render({ title, text, columns, rows }: Section, level: number): string {
  const lines = [columns, columns.map(() => "---"), ...rows]
  const table = lines.map(cells => `| ${cells.map(cell => cell.replaceAll("|", "\\|")).join(" | ")} |`)
  return [`${"#".repeat(level)} ${title}`, ...(text === undefined ? [] : [text]), table.join("\n")].join("\n\n")
}

export function code(text: string): string {
  return `\`${text}\``
}

/** Some of all names, as short as can be. */
export function listOf(names: readonly string[], all: readonly string[]): string {
  const others = all.filter(name => !names.includes(name))
  if (others.length === 0) return "all"
  return others.length < names.length ? `all but ${others.join(", ")}` : names.join(", ")
}

export function kindOf(symbol: ts.Symbol): string {
  const { flags } = symbol
  if (flags & ts.SymbolFlags.Class) return "class"
  if (flags & ts.SymbolFlags.Interface) return "interface"
  if (flags & ts.SymbolFlags.TypeAlias) return "type"
  return flags & ts.SymbolFlags.Function ? "function" : "value"
}

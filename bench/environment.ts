/** What was measured and on what: everything a reader needs to run it again. */

import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { availableParallelism, cpus, platform, release } from "node:os"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { type Engine, loadEngine, type PackageName } from "./engine.js"

// From dist/bench.
export const packageRoot = fileURLToPath(new URL("../../", import.meta.url))

export interface Package {
  name: PackageName
  engine: Engine
  /** Its own version and that of the libzmq it is, or behaves like. */
  version: string
}

/** Loads a package, or says why it cannot be measured. */
export async function loadPackage(name: PackageName): Promise<Package | { reason: string }> {
  try {
    const engine = await loadEngine(name)
    const manifest = createRequire(import.meta.url)(`${name}/package.json`) as { version: string }
    return { name, engine, version: `${manifest.version} (${name === "zeromq" ? "" : "as "}libzmq ${engine.version})` }
  } catch (error) {
    return { reason: error instanceof Error ? error.message.split("\n")[0]! : String(error) }
  }
}

/** Not every package lets its own package.json be imported. */
export function versionOf(name: string): string {
  const folder = name === "peerlane" ? packageRoot : join(packageRoot, "node_modules", name)
  return (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string }).version
}

export interface Environment {
  node: string
  packages: Record<string, string>
  cores: number
  cpu: string
  system: string
  command: string
  date: string
}

export function environment(packages: Record<string, string>): Environment {
  const script = relative(packageRoot, process.argv[1] ?? "")
  return {
    node: process.version,
    packages,
    cores: availableParallelism(),
    cpu: cpuModel(),
    system: `${platform()} ${release()}`,
    command: ["node", script, ...process.argv.slice(2)].join(" "),
    date: new Date().toISOString(),
  }
}

/** The lines that every bench begins with. */
export function environmentLines(
  title: string,
  { node, packages, cores, cpu, system, command, date }: Environment,
): string[] {
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`)
  return [
    `${title}, ${date}`,
    `  command   ${command}`,
    `  machine   ${cores} cores, ${cpu}, ${system}`,
    `  versions  node ${node}, ${versions.join(", ")}`,
  ]
}

/** The model as Node knows it; on some machines only the kernel's own list has a name. */
function cpuModel(): string {
  const model = cpus()[0]?.model.trim()
  if (model && model !== "unknown") return model
  try {
    return /^model name\s*:\s*(.+)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "unknown"
  } catch {
    return "unknown"
  }
}

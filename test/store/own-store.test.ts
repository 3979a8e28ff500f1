/**
 * A store of somebody else's, as patterns/store/README.md tells him to make one: its programs are run as they stand there, with
 * Peerlane as an installed package; and the checks find what is wrong with a store. Needs `npm run build`.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { memoryStore, type Store } from "peerlane/pipeline"
import { storeConformance } from "peerlane/testing"
import { afterEach, describe, expect, it } from "vitest"
import { compile, LIMIT, type Outcome, programFolder, runAll } from "../support/programs.js"

const README = readFileSync(fileURLToPath(new URL("../../patterns/store/README.md", import.meta.url)), "utf8")
const [ownStore = "", saving = ""] = [...README.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, program]) => program!)

describe("the programs of patterns/store/README.md", () => {
  let folder = ""

  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  async function run(program: string): Promise<Outcome> {
    folder = programFolder()
    const file = join(folder, "program")
    // The paths of the page are relative: they are those of the folder.
    writeFileSync(`${file}.ts`, program.replaceAll('"./', `"${folder}/`))
    expect(compile(folder, [`${file}.ts`])).toEqual([])
    return runAll([`${file}.js`]).get(`${file}.js`)!
  }

  it("a store in a Map passes all checks", { timeout: 2 * LIMIT }, async () => {
    expect(ownStore).toContain("storeConformance")
    const { output, errors, end } = await run(ownStore)
    expect(errors).toBe("")
    expect(end, output).toBe(0)
    expect(output).toMatch(/^. fail 0$/m)
  })

  it("a queue is saved into a new one", { timeout: 2 * LIMIT }, async () => {
    expect(saving).toContain("salvage")
    const begin = `import { Producer } from "peerlane/pipeline"
const bind = "tcp://127.0.0.1:*"
const before = new Producer({ bind, store: "./outbox" })
await before.send("one")
await before.close()
`
    const end = `const after = new Producer({ bind, store: "./outbox-saved" })
await after.ready()
console.log(after.stats().jobs, "job")
await after.close()
`
    const outcome = await run(begin + saving + end)
    expect(outcome).toEqual({ output: "2 entries\n1 job\n", errors: "", end: 0 }) // The queue's own name is an entry, too.
  })
})

/** The checks that a store fails, with what they say. */
async function failing(make: () => Store): Promise<Record<string, string>> {
  const failed: Record<string, string> = {}
  for (const { name, run } of storeConformance(async () => ({ store: make(), again: null, dispose: async () => {} }))) {
    await run().catch((error: Error) => {
      failed[name] = error.message
    })
  }
  return failed
}

describe("storeConformance", () => {
  it("has nothing against a store that is right", async () => {
    expect(await failing(memoryStore)).toEqual({})
  })

  it("finds a store that forgets a body, and one that keeps what was removed", async () => {
    const forgets = () => {
      const store = memoryStore()
      const put = store.put.bind(store)
      store.put = (key, meta, body) => put(key, meta, body.slice(1))
      return store
    }
    const keeps = () => Object.assign(memoryStore(), { remove: async () => {} })
    expect(await failing(forgets)).toMatchObject({
      "a put replaces meta and body": expect.stringContaining('expected "second"'),
    })
    expect(Object.keys(await failing(keeps))).toEqual([
      "what is not there is ENOENT: removed, or never put",
      "changes that are called together happen in their order",
    ])
  })
})

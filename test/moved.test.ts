/**
 * Programs written for the `zeromq` package, in examples/moved/. Each is compiled and run as it is, and with that package in
 * the one line that imports: both must print the same, say nothing on stderr, and end by themselves. Needs `npm run build`.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join, parse } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { compile, LIMIT, type Outcome, programFolder, runAll } from "./support/programs.js"

const programs = fileURLToPath(new URL("../examples/moved", import.meta.url))
const packages = ["peerlane", "zeromq"] as const

const expected: Record<string, string> = {
  queue: `the early job: { worker: 'ann', answer: 'desserts' }
in turn: ann: evil, bob: reward, cyd: rats, ann: trap, bob: pool, cyd: pots
the crowd: 1htron 2htron 3htron 4htron 5htron
the crowd: 1tsae 2tsae 3tsae 4tsae 5tsae
the crowd: 1htuos 2htuos 3htuos 4htuos 5htuos
the crowd: 1tsew 2tsew 3tsew 4tsew 5tsew
3 workers did 27 jobs
everybody went home
`,
  proxy: `1+1=2 2+2=4 3+3=6
1+2+3=6 10+20+30=60
7+0=7 8+0=8 9+0=9 10+0=10
nothing to ask
the proxy has ended
closed: true true
9 questions were answered
`,
  "pub-sub": `all heard "sport.chess.blitz/1" "sport/2" "weather/3" "weather.oslo/4" "sport.rowing/5" "Sport.golf/6" "/7" "ÿ\\u0001\\u0002/1" "ÿ\\u0002/2" "weather.rome/1" "sport.tennis/2" "weather.bergen/3" "weather.paris/1" "sport.darts/2"
sports heard "sport.chess.blitz/1" "sport.rowing/5" "sport.tennis/2" "sport.darts/2"
picky heard "sport.chess.blitz/1" "ÿ\\u0001\\u0002/1"
fickle heard "sport.chess.blitz/1" "sport/2" "weather/3" "weather.oslo/4" "sport.rowing/5" "weather.rome/1" "weather.bergen/3"
`,
  "router-dealer": `SOUP for ann, SALAD for ann, PIE for ann
SOUP for bob, SALAD for bob, PIE for bob
SOUP for cyd, SALAD for cyd, PIE for cyd
SOUP for dan, SALAD for dan, PIE for dan
SOUP for eve, SALAD for eve, PIE for eve
SOUP for fay, SALAD for fay, PIE for fay
WATER for a stranger of 5 bytes
each heard them in this order: Set(1) { '3 2 1' }
to gus: EHOSTUNREACH
`,
  majordomo: `tea: tom oolong! no sugar!
coffee: kim espresso!
tea: tom mint!
tea: ted sencha!
tea: tim earl grey!
coffee: kim latte!, kim mocha!, kim ristretto!
tom offers tea, kim offers coffee, tom left, ted offers tea, ted left, fay offers tea, fay fell silent, tim offers tea
`,
  pipeline: `a worker listens for: stop
a worker listens for: stop
a worker listens for: stop
99 tasks, of which primes: 2 3 5 7 11 13 17 19 23 29 31 37 41 43 47 53 59 61 67 71 73 79 83 89 97
worker 1 did 33
worker 2 did 33
worker 3 did 33
`,
  "last-value-cache": `early: price.salt = 1
early: price.tea = 30
early: price.tea = 31
late:  price.tea = 31
both:  price.salt = 2, price.tea = 31
gold:  price.gold = 9000
asked for: +price.tea +price.salt +price.tea +price.salt +price.tea +price.gold
left:      -price.gold -price.salt -price.tea
`,
  reconnect: `first server received: the first message
first server received: sent in the first round
first server: bind accept handshake
second server received: sent after the first round
second server received: sent in the second round
second server: bind accept handshake
third server received: sent after the second round
third server received: sent in the third round
third server: bind accept handshake
the client: connect handshake disconnect retry connect handshake disconnect retry connect handshake disconnect retry end
`,
  "lazy-pirate": `7 squared: 49 (attempt 1)
  the server is slow
  no answer: EAGAIN, Operation was not possible or timed out
8 squared: 64 (attempt 2)
  the server dies
  no answer: EAGAIN, Operation was not possible or timed out
9 squared: 81 (attempt 2)
  the server is slow
receive EAGAIN
send EFSM
12 squared: 144
`,
  threads: `ibm, the main thread, hands them out, and collects them all
the threads ended with 0 and 0
`,
  exclusive: `inproc: e4 Nf3 Bb5 resigns / e5 Nc6 a6
tcp: e4 Nf3 Bb5 resigns / e5 Nc6 a6
function 4.3.5 true
`,
}

const sources = readdirSync(programs).filter(file => /\.c?ts$/.test(file))

/** The line that imports Peerlane. */
const imports = /^import .*"peerlane"\)?$/

describe("programs that moved from zeromq", () => {
  let folder = ""
  let wrong: { file: string; line: number; text: string }[] = []
  let runs = new Map<string, Promise<Outcome>>()
  const placeOf = (name: string, file: string) => join(folder, name, file)
  const compiled = (file: string) => file.replace(/ts$/, "js")

  beforeAll(() => {
    folder = programFolder(["zeromq"])
    const files: string[] = []
    for (const name of packages) {
      mkdirSync(join(folder, name))
      for (const file of sources) {
        const lines = readFileSync(join(programs, file), "utf8").split("\n")
        const moved = lines.map(line => (imports.test(line) ? line.replace('"peerlane"', `"${name}"`) : line))
        files.push(placeOf(name, file))
        writeFileSync(placeOf(name, file), moved.join("\n"))
      }
    }
    wrong = compile(folder, files)
    runs = runAll(sources.flatMap(file => packages.map(name => compiled(placeOf(name, file)))))
  }, 60_000)

  afterAll(async () => {
    await Promise.all(runs.values())
    rmSync(folder, { recursive: true, force: true })
  }, 2 * LIMIT)

  it("are those that are known here", () => {
    expect(sources.map(file => parse(file).name).sort()).toEqual(Object.keys(expected).sort())
  })

  it.each(sources)("%s says where it is from in one line", file => {
    const lines = readFileSync(join(programs, file), "utf8").split("\n")
    expect(lines.filter(line => imports.test(line))).toHaveLength(1)
    expect(lines.filter(line => /["'\x60]peerlane/.test(line))).toHaveLength(1)
  })

  it("compile on both packages", () => {
    expect(wrong.map(({ file, line, text }) => `${file}:${line}: ${text}`)).toEqual([])
  })

  const cases = sources.flatMap(file => packages.map(name => [file, name] as const))
  it.each(cases)("%s on %s", { timeout: cases.length * LIMIT }, async (file, name) => {
    const { output, errors, end } = (await runs.get(compiled(placeOf(name, file))))!
    const said = errors.replace(/^.*ExperimentalWarning: CommonJS module .*\n.*\n/m, "") // Node 20.19, of require()
    expect(output + said, "it prints something else").toBe(expected[parse(file).name])
    expect(end, "it does not end well").toBe(0)
  })
})

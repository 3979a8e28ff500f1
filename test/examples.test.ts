/**
 * The examples and the demo, as a stranger would run them: each compiled program in a process of its own, held to what
 * it prints, its exit code, and, for the demo, to leaving no process behind however it ends. Needs `npm run build`.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { existsSync, readFileSync } from "node:fs"
import { setTimeout as delay } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { afterEach, describe, expect, it } from "vitest"

const generous = 90_000 // ms; the demo's own limit is 55 s

interface Run {
  process: ChildProcess
  output: () => string
  errors: () => string
  /** Resolves once the output has that; rejects when the program ends without it. */
  printed: (pattern: RegExp) => Promise<void>
  exitCode: Promise<number | null>
}

const running: ChildProcess[] = []

afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL")
})

function run(
  program: string,
  parameters: string[] = [],
  setup: { node?: string[]; env?: NodeJS.ProcessEnv } = {},
): Run {
  const file = fileURLToPath(new URL(`../dist/examples/${program}.js`, import.meta.url))
  const child = spawn(process.execPath, [...(setup.node ?? []), file, ...parameters], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...setup.env },
  })
  running.push(child)
  let output = ""
  let errors = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text
  })
  const exitCode = once(child, "close").then(([code]) => code as number | null)
  const printed = async (pattern: RegExp) => {
    while (!pattern.test(output)) {
      const news = once(child.stdout, "data").then(() => true)
      const more = await Promise.race([news, exitCode.then(() => false)])
      if (!more && !pattern.test(output)) throw new Error(`ended without printing ${pattern}:\n${output}${errors}`)
    }
  }
  return { process: child, output: () => output, errors: () => errors, printed, exitCode }
}

const expected: Record<string, string> = {
  "jobs-handed-over": `all three have ended, and the queue has 6 jobs
ann: from one
ann: from three
ann: from two
bob: from one
bob: from three
bob: from two
`,
  "push-pull": `ann squared 3 numbers
bob squared 3 numbers
cyd squared 3 numbers
1² + 2² + … + 9² = 285
`,
  "pub-sub": `everybody heard weather.oslo: snow, weather.paris: sun, sport.chess: draw, weather.bergen: rain, sport.rowing: photo finish
sports heard sport.chess: draw, sport.rowing: photo finish
norway heard weather.oslo: snow, weather.bergen: rain
`,
  "req-rep": `answer: "how long is this?" has 17 characters
no answer to "are you asleep?" in 200 ms (EAGAIN)
answer: "and now?" has 8 characters
`,
  "router-dealer": `window: soup, pasta, roast
garden: salad, soup, pie
`,
  stream: `server: a client is there
server: GET /tea HTTP/1.1
client: 200 you asked for /tea
server: a client is there
server: GET /biscuits HTTP/1.1
client: 200 you asked for /biscuits
`,
  "many-to-many": `ann was told ANN ONE, ANN TWO, ANN THREE
bob was told BOB ONE, BOB TWO, BOB THREE
cyd was told CYD ONE, CYD TWO, CYD THREE
dan was told DAN ONE, DAN TWO, DAN THREE
the servers answered 4, 4, 4 questions
`,
  proxy: `ann: 1² is 1
ann: 2² is 4
ann: 3² is 9
bob: 1² is 1
bob: 2² is 4
bob: 3² is 9
cyd: 1² is 1
cyd: 2² is 4
cyd: 3² is 9
questions: 9 in, 9 out
answers: 9 in, 9 out
seen at the tap: 18
front-end closed: true, back-end closed: true
`,
}

describe("examples", () => {
  for (const [name, text] of Object.entries(expected)) {
    it(`${name} prints what it should, and ends`, async () => {
      const example = run(name)
      expect(await example.exitCode, example.errors()).toBe(0)
      expect(example.output()).toBe(text)
      expect(example.errors()).toBe("")
    })
  }

  it("curve makes keys for two machines, lets one in and refuses a stranger, and ends", async () => {
    const example = run("curve")
    expect(await example.exitCode, example.errors()).toBe(0)
    const said: Record<string, string[]> = {}
    for (const line of example.output().trimEnd().split("\n")) {
      const [, who = "", what = ""] = /^(\w+): (.*)$/.exec(line) ?? []
      said[who] = [...(said[who] ?? []), what]
    }
    // They are processes of their own: in which order two of them print is for nobody to say.
    expect(said).toEqual({
      administrator: ["made the keys, and carried the public ones"],
      server: [
        "ann is at the door",
        'ann asks "good day" by CURVE',
        "somebody whom I do not know is at the door",
        "refused with status 400",
      ],
      ann: ['the answer is "good day, ann"'],
      stranger: ["refused with status 400"],
    })
    expect(example.errors()).toBe("")
  })

  it("jobs-survive loses no job, and ends", async () => {
    const example = run("jobs-survive")
    expect(await example.exitCode, example.errors()).toBe(0)
    // How many jobs the kills hit between work and ack differs.
    expect(example.output()).toMatch(
      /^killed by SIGKILL: the producer 3 times, workers 9 times\naccepted 1800 jobs, handled 1800, lost 0\nhandled again: \d+\n$/,
    )
    expect(example.errors()).toBe("")
  })

  it("services-survive has no call that fails, and ends", async () => {
    const example = run("services-survive")
    expect(await example.exitCode, example.errors()).toBe(0)
    // How many calls were with the servers that went differs, but there were some.
    expect(example.output()).toMatch(
      /^3 servers: one was killed by SIGKILL, one was drained and started again\n\d{4,} calls, [1-9]\d* tried again, 0 failed\n\d+ items of streams, none twice and none missing; streams resumed: \d+\n$/,
    )
    expect(example.errors()).toBe("")
  })

  const python = process.env.PYTHON ?? (existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3")
  const pyzmq = spawnSync(python, ["-c", "import zmq"]).status === 0
  if (!pyzmq) console.warn(`the python examples are not run: ${python} cannot import zmq`)

  it.skipIf(!pyzmq)("python prints what it should, and ends", async () => {
    const example = run("python")
    expect(await example.exitCode, example.errors()).toBe(0)
    expect(example.output()).toBe(`reverse: desserts |  | reward
sum: 100 numbers | 5050
stop: bye
Python ended with code 0
`)
    expect(example.errors()).toBe("")
  })

  it.skipIf(!pyzmq)("python-worker prints what it should, and ends", async () => {
    const example = run("python-worker")
    expect(await example.exitCode, example.errors()).toBe(0)
    expect(example.output()).toBe(`Python worked out 100 means, in total 5150
attempt 1 failed: division by zero
a dead letter after 2 attempts: division by zero
100 done, 1 retried, 1 dead
Python ended with code 0
`)
    expect(example.errors()).toBe("")
  })

  it.skipIf(!pyzmq)("python-caller prints what it should, and ends", async () => {
    const example = run("python-caller")
    expect(await example.exitCode, example.errors()).toBe(0)
    expect(example.output()).toBe(`this process divides: 3.5
Python adds: 3
Python is told: EZERO: nothing can be divided by 0
Python ended with code 0, and the service was called 1 time by it to add
`)
    expect(example.errors()).toBe("")
  })

  it.skipIf(!pyzmq)("python-replier prints what it should, and ends", async () => {
    const example = run("python-replier")
    expect(await example.exitCode, example.errors()).toBe(0)
    expect(example.output()).toBe(`Python adds 100 times, in total 5050
Python divides: 3.5
ZeroDivisionError: division by zero
ENOENT: there is no method multiply
`)
    expect(example.errors()).toBe("")
  })

  it.each(["python", "python-caller", "python-replier", "python-worker"])(
    "%s says so when there is no pyzmq, and ends well",
    async name => {
      const example = run(name, [], { env: { PYTHON: "no-such-python" } })
      expect(await example.exitCode).toBe(0)
      expect(example.output()).toMatch(/^skipped: no-such-python cannot import zmq \(.*\)\n$/)
    },
  )
})

/** Process ids of the demo's children, by name, from the line in which it introduces them. */
function childrenOf(demo: Run): Map<string, number> {
  const [, roster] = /^Processes: main \d+, (.*)$/m.exec(demo.output()) ?? []
  const entries = (roster ?? "").split(", ").map(entry => entry.split(" ") as [string, string])
  return new Map(entries.map(([name, pid]) => [name, Number(pid)]))
}

/** Whether it still runs; a zombie that nobody has waited for does not. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== "linux" || !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch {
    return false
  }
}

async function allGone(pids: Iterable<number>): Promise<void> {
  for (const pid of pids) while (isRunning(pid)) await delay(20)
}

/** Starts a demo with far more to do than it will be given time for. */
async function underWay(): Promise<{ demo: Run; children: Map<string, number> }> {
  const demo = run("demo/main", ["--files", "300", "--passes", "100000"])
  await demo.printed(/ of 30,000,000 files/)
  const children = childrenOf(demo)
  expect([...children.keys()]).toEqual(["ventilator", "sink", "peerlane-1", "peerlane-2", "zeromq-1"])
  for (const pid of children.values()) expect(isRunning(pid)).toBe(true)
  return { demo, children }
}

describe("demo", { timeout: generous }, () => {
  it("counts with both engines what a plain count gives, and ends", async () => {
    const demo = run("demo/main", ["--quick"])
    expect(await demo.exitCode, demo.output() + demo.errors()).toBe(0)
    const output = demo.output()
    expect(output).toMatch(/^ {2}The totals match\.$/m)
    expect(output).toMatch(/^ {2}files +600 +600 +equal$/m)
    expect(output).toMatch(/^Shown: 600 files .* 3 worker processes, one of them on libzmq, .* nothing was lost.*$/m)
    for (const worker of [/peerlane-1 +peerlane/, /peerlane-2 +peerlane/, /zeromq-1 +zeromq \(libzmq [\d.]+\)/]) {
      const [, files] = new RegExp(`^  ${worker.source} +([\\d,]+) `, "m").exec(output) ?? []
      expect(Number(files), `${worker} in\n${output}`).toBeGreaterThan(0)
    }
    expect(demo.errors()).toBe("")
    await allGone(childrenOf(demo).values())
  })

  it("goes on without libzmq where the zeromq package does not load", async () => {
    const hooks = `export async function resolve(specifier, context, next) {
      if (specifier === "zeromq") throw new Error("not built for this platform")
      return next(specifier, context)
    }`
    const register = `import { register } from "node:module"; register(${JSON.stringify(asModule(hooks))})`
    const demo = run("demo/main", ["--files", "50", "--passes", "1"], { node: ["--import", asModule(register)] })
    expect(await demo.exitCode, demo.output() + demo.errors()).toBe(0)
    expect(demo.output()).toContain("The zeromq package does not load here (not built for this platform)")
    expect(demo.output()).toMatch(/^ {2}peerlane-3 +peerlane +\d/m)
    expect(demo.output()).toMatch(/^ {2}The totals match\.$/m)
  })

  it("ends cleanly on Ctrl-C", async () => {
    const { demo, children } = await underWay()
    demo.process.kill("SIGINT")
    expect(await demo.exitCode, demo.output() + demo.errors()).toBe(130)
    expect(demo.output()).toMatch(/^The demo was interrupted by SIGINT; all 5 child processes have ended\.$/m)
    for (const pid of children.values()) expect(isRunning(pid)).toBe(false)
    expect(demo.errors()).toBe("")
  })

  it.each(["ventilator", "sink", "peerlane-1", "zeromq-1"])("reports that its %s was killed, and fails", async name => {
    const { demo, children } = await underWay()
    process.kill(children.get(name)!, "SIGKILL")
    expect(await demo.exitCode, demo.output() + demo.errors()).toBe(1)
    expect(demo.errors()).toMatch(
      new RegExp(`^The demo failed: ${name} \\(process \\d+\\) was ended by SIGKILL; all 5`, "m"),
    )
    for (const pid of children.values()) expect(isRunning(pid)).toBe(false)
  })

  it("leaves no child behind when it is killed itself", async () => {
    const { demo, children } = await underWay()
    demo.process.kill("SIGKILL")
    await demo.exitCode
    await allGone(children.values())
  })

  it("refuses an option it does not know or understand", async () => {
    for (const parameters of [
      ["--fils", "3"],
      ["--files", "none"],
    ]) {
      const demo = run("demo/main", parameters)
      expect(await demo.exitCode).toBe(2)
      expect(demo.errors()).toContain("Usage: npm run demo")
    }
  })
})

const asModule = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`

/** The simulated network keeps the contract of transports, so what sockets do on it they do on real ones. */
import { afterAll, beforeAll } from "vitest"
import { SimulatedNetwork } from "../support/simulated-network.js"
import { SimulatedRuntime } from "../support/simulated-runtime.js"
import { transportSuite } from "../transport/suite.js"

const runtime = new SimulatedRuntime()
const network = new SimulatedNetwork(runtime)
let addresses = 0
let over = false
let running: Promise<void> = Promise.resolve()

// The suite lives in real time; virtual time runs as fast as it can beside it.
async function run(): Promise<void> {
  while (!over) if (!(await runtime.step())) await new Promise(resolve => setTimeout(resolve, 1))
}

beforeAll(() => {
  running = run()
})

afterAll(async () => {
  over = true
  await running
})

transportSuite("sim", {
  transport: network,
  address: () => `address-${++addresses}`,
  nowhere: async () => `sim://address-${++addresses}`,
  refusals: ["ECONNREFUSED"],
  bindTwice: "EADDRINUSE",
})

/** PUSH and PULL over inproc, both in this process and on its one thread. */

import { bodies } from "../bodies.js"
import { loadEngine } from "../engine.js"
import { pullAll, pushAll } from "../loops.js"
import type { StreamTask } from "../reports.js"
import { runPeer } from "./peer.js"

runPeer<StreamTask>(async (task, harness) => {
  const { Pull, Push } = await loadEngine(task.engine)
  const pull = new Pull()
  await pull.bind(task.endpoint)
  const push = new Push()
  push.connect(task.endpoint)
  const [seconds] = await Promise.all([
    pullAll(pull, task.loop, task),
    pushAll(push, task.loop, bodies(task.size), task.warm + task.timed),
  ])
  harness.report({ type: "measured", messages: task.timed, seconds })
  await harness.order("stop")
  push.close()
  pull.close()
})

/** PULL in this thread, PUSH in another one. */

import { isMainThread, Worker, workerData } from "node:worker_threads"
import { bodies } from "../bodies.js"
import { loadEngine } from "../engine.js"
import { pullAll, pushAll } from "../loops.js"
import type { StreamTask } from "../reports.js"
import { runPeer } from "./peer.js"

async function push(task: StreamTask): Promise<void> {
  const { Push } = await loadEngine(task.engine)
  const socket = new Push()
  socket.connect(task.endpoint)
  await pushAll(socket, task.loop, bodies(task.size), task.warm + task.timed)
  await socket.close()
}

if (isMainThread) {
  runPeer<StreamTask>(async (task, harness) => {
    const { Pull } = await loadEngine(task.engine)
    const pull = new Pull()
    await pull.bind(task.endpoint)
    const worker = new Worker(new URL(import.meta.url), { workerData: { ...task, endpoint: pull.lastEndpoint } })
    worker.on("error", error => {
      throw error
    })
    const seconds = await pullAll(pull, task.loop, task)
    harness.report({ type: "measured", messages: task.timed, seconds })
    await harness.order("stop")
    pull.close()
  })
} else {
  await push(workerData as StreamTask)
}

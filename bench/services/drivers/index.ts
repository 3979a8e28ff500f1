/** The driver of each engine; only the one that a process uses is loaded. */

import type { Caller, Reader, ServiceEngine, Setup } from "../driver.js"

/** Resolves with the address that its clients take. */
export async function openServer(engine: ServiceEngine): Promise<string> {
  switch (engine) {
    case "peerlane":
    case "peerlane-zeromq":
      return (await import("./peerlane.js")).openServer(engine)
    case "req-rep":
      return (await import("./req-rep.js")).openServer()
    case "dealer-router":
      return (await import("./dealer-router.js")).openServer()
    case "http":
      return (await import("./http.js")).openServer()
    case "grpc":
      return (await import("./grpc.js")).openServer()
  }
}

export async function openCaller(setup: Setup, address: string): Promise<Caller> {
  switch (setup.engine) {
    case "peerlane":
    case "peerlane-zeromq":
      return (await import("./peerlane.js")).openClient(setup.engine, address)
    case "req-rep":
      return (await import("./req-rep.js")).openCaller(address)
    case "dealer-router":
      return (await import("./dealer-router.js")).openCaller(address)
    case "http":
      return (await import("./http.js")).openCaller(setup, address)
    case "grpc":
      return (await import("./grpc.js")).openClient(address)
  }
}

/** Of those that are measured with streams. */
export async function openReader(engine: ServiceEngine, address: string): Promise<Reader> {
  if (engine === "grpc") return (await import("./grpc.js")).openClient(address)
  return (await import("./peerlane.js")).openClient(engine, address)
}

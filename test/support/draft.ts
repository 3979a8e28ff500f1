/** Options that libzmq has as draft: properties here, and on the `zeromq` package reached by their numbers (zmq.h). */
import { type AnySocket, engine } from "./engine.js"

const NUMBERS = {
  metadata: 95,
  multicastLoop: 96,
  routerNotify: 97,
  manualLastValue: 98,
  inBatchSize: 101,
  outBatchSize: 102,
  onlyFirstSubscribe: 108,
  reconnectStop: 109,
  helloMessage: 110,
  disconnectMessage: 111,
  priority: 112,
  busyPoll: 113,
  hiccupMessage: 114,
  xsubVerboseUnsubscribe: 115,
  topicsCount: 116,
} as const

interface Native {
  setStringOption(option: number, value: string): void
  setBoolOption(option: number, value: boolean): void
  setInt32Option(option: number, value: number): void
  getInt32Option(option: number): number
}

/** Sets draft options of a socket, and returns it. */
export function withDraft<S extends AnySocket>(
  socket: S,
  options: { [K in keyof typeof NUMBERS]?: string | number | boolean },
): S {
  const native = socket as unknown as Native
  for (const [name, value] of Object.entries(options)) {
    const number = NUMBERS[name as keyof typeof NUMBERS]
    if (engine === "peerlane") Object.assign(socket, { [name]: value })
    else if (typeof value === "number") native.setInt32Option(number, value)
    else if (typeof value === "boolean") native.setBoolOption(number, value)
    else native.setStringOption(number, value)
  }
  return socket
}

/** Reads `topicsCount`; looks at the socket before, for libzmq works only then. */
export function topicsCount(socket: AnySocket): number {
  void socket.readable
  void socket.writable
  if (engine === "peerlane") return (socket as unknown as { topicsCount: number }).topicsCount
  return (socket as unknown as Native).getInt32Option(NUMBERS.topicsCount)
}

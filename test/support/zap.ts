/** A ZAP handler (27/ZAP) for tests, and sockets that it is asked about, in a context of their own. */
import { onTestFinished } from "vitest"
import { type AnySocket, zmq } from "./engine.js"
import { EventLog } from "./events.js"

export const ZAP = "inproc://zeromq.zap.01"

/** A request as a REP receives it. */
export type ZapRequest = Buffer[]
/** What is sent as the reply: all its frames; null: nothing, for ever. */
export type ZapAnswer = (request: ZapRequest) => (string | Buffer)[] | null

export const reply = (status: string, { userId = "", metadata = Buffer.alloc(0) as Buffer } = {}) => [
  "1.0",
  "1",
  status,
  "a text",
  userId,
  metadata,
]

/** Sockets in one context: a handler where there is one, and a server and a client with their events. */
export class ZapScene {
  readonly context = new zmq.Context()
  readonly requests: ZapRequest[] = []
  readonly sockets: AnySocket[] = []
  handler: AnySocket | null = null

  constructor() {
    onTestFinished(async () => {
      for (const socket of this.sockets) if (!socket.closed) await socket.close()
    })
  }

  keep<S extends AnySocket>(socket: S): S {
    this.sockets.push(socket)
    return socket
  }

  /** Binds a REP that answers by this function. */
  async handle(answer: ZapAnswer): Promise<void> {
    const rep = this.keep(new zmq.Reply({ linger: 0, context: this.context }))
    this.handler = rep
    await rep.bind(ZAP)
    void this.serve(rep, async request => {
      const frames = answer(request)
      if (frames === null) return false
      await rep.send(frames)
      return true
    })
  }

  /** The same by a ROUTER, which has the delimiter in its own hands. */
  async route(answer: ZapAnswer): Promise<void> {
    const router = this.keep(new zmq.Router({ linger: 0, context: this.context }))
    this.handler = router
    await router.bind(ZAP)
    void this.serve(router, async ([from, delimiter, ...request]) => {
      const frames = answer(request)
      if (frames !== null) await router.send([from!, delimiter!, ...frames])
      return true
    })
  }

  private async serve(
    socket: { receive(): Promise<Buffer[]>; type: number },
    take: (request: ZapRequest) => Promise<boolean>,
  ): Promise<void> {
    try {
      for (;;) {
        const request = await socket.receive()
        this.requests.push(request)
        if (!(await take(request))) return
      }
    } catch {
      // It was closed with the test.
    }
  }

  /** A bound DEALER and one that connects to it, in this context, with what they hear of each other. */
  async pair(serverOptions: object, clientOptions: object, endpoint = "tcp://127.0.0.1:*") {
    const common = { linger: 0, context: this.context, receiveTimeout: 5000 }
    const server = this.keep(new zmq.Dealer({ ...common, ...serverOptions }))
    const client = this.keep(new zmq.Dealer({ ...common, reconnectInterval: 50, ...clientOptions }))
    const serverLog = new EventLog(server)
    const clientLog = new EventLog(client)
    await server.bind(endpoint)
    client.connect(server.lastEndpoint!)
    return { server, client, serverLog, clientLog }
  }
}

/** What an event of a failed handshake says: its type, and its code or status. */
export function failuresOf(log: EventLog): string[] {
  return log.all
    .filter(({ type }) => type.startsWith("handshake:error"))
    .map(event => {
      const { error } = event as { error?: { code?: string; status?: number } }
      return `${event.type.slice("handshake:error:".length)} ${error?.status ?? error?.code}`
    })
}

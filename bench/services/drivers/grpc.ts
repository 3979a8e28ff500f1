/** gRPC of `@grpc/grpc-js`, without a .proto: its messages are JSON, which for two numbers is as good as protobuf. */

import {
  type ClientReadableStream,
  credentials,
  type handleServerStreamingCall,
  type handleUnaryCall,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  type ServiceError,
} from "@grpc/grpc-js"
import type { Caller, Pair, Reader } from "../driver.js"

const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value))
const valueOf = <Value>(bytes: Buffer) => JSON.parse(bytes.toString()) as Value
const json = {
  requestStream: false,
  requestSerialize: bytesOf,
  requestDeserialize: valueOf,
  responseSerialize: bytesOf,
  responseDeserialize: valueOf,
}
const definition = {
  add: { path: "/Math/Add", responseStream: false, ...json },
  count: { path: "/Math/Count", responseStream: true, ...json },
}

const add: handleUnaryCall<Pair, number> = ({ request: { a, b } }, answer) => answer(null, a + b)

const count: handleServerStreamingCall<number, number> = async call => {
  for (let n = 0; n < call.request; n++) {
    if (!call.write(n)) await new Promise<void>(resolve => call.once("drain", resolve))
  }
  call.end()
}

export async function openServer(): Promise<string> {
  const server = new Server()
  server.addService(definition, { add, count })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    )
  })
  return `127.0.0.1:${port}`
}

/** What the constructor below makes, by the definition. */
interface Stub {
  add(pair: Pair, done: (error: ServiceError | null, sum: number) => void): void
  count(items: number): ClientReadableStream<number>
}

export function openClient(address: string): Caller & Reader {
  const Stub = makeGenericClientConstructor(definition, "Math")
  const stub = new Stub(address, credentials.createInsecure()) as unknown as Stub
  return {
    add: pair =>
      new Promise((resolve, reject) => {
        stub.add(pair, (error, sum) => (error === null ? resolve(sum) : reject(error)))
      }),
    count: (items, each) =>
      new Promise((resolve, reject) => {
        stub.count(items).on("data", each).on("end", resolve).on("error", reject)
      }),
  }
}

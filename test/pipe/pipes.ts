/** Pipes for tests of what holds pipes: with marks as a test likes, and an owner that writes down what it is told. */
import { Pipe, type PipeOwner } from "../../src/pipe/pipe.js"
import type { Marks } from "../../src/pipe/queue.js"
import { CountingBytes } from "../support/link.js"

export class Owner implements PipeOwner {
  readonly readable: Pipe[] = []
  readonly writable: Pipe[] = []
  written = 0

  onReadable(pipe: Pipe): void {
    this.readable.push(pipe)
  }

  onWritable(pipe: Pipe): void {
    this.writable.push(pipe)
  }

  onWritten(): void {
    this.written++
  }
}

export const marks = (messages = 0, bytes = 0, conflate = false): Marks => ({ messages, bytes, conflate })

export function createPipe(owner: PipeOwner = new Owner(), inbound = marks(), outbound = marks()): Pipe {
  return Pipe.create(owner, inbound, outbound, new CountingBytes())
}

export const text = (bytes: string): Uint8Array => Uint8Array.from(Buffer.from(bytes, "latin1"))
export const words = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1")

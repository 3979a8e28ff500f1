/** Jobs that go to one consumer in one message: a JSON array of their heads, and then their bodies. */

import type { Frame } from "../typed/protocol.js"
import type { Consumer, Handout } from "./dispatcher.js"
import { frame } from "./frames.js"

const MOST = 128
const MOST_BYTES = 256 * 1024

export class Parcel {
  readonly tags: string[] = []
  private heads = ""
  private readonly bodies: Uint8Array[] = []
  private bytes = 0

  constructor(readonly consumer: Consumer) {}

  get isFull(): boolean {
    return this.tags.length >= MOST || this.bytes >= MOST_BYTES
  }

  add({ tag, ticket }: Handout, body: Uint8Array): void {
    const { job } = ticket
    this.tags.push(tag)
    this.bodies.push(body)
    this.bytes += job.size
    // Tags and the names that are here need no escapes; what is not ours goes by JSON.
    let head = `{"tag":"${tag}","id":${job.named ? JSON.stringify(job.id) : `"${job.id}"`},"attempt":${ticket.attempts + 1}`
    head += `,"codec":${JSON.stringify(job.codec)}`
    if (job.key !== null) head += `,"key":${JSON.stringify(job.key)}`
    if (job.lease !== 0) head += `,"lease":${job.lease}`
    if (job.want) head += ',"want":true'
    this.heads += `${this.heads === "" ? "[" : ","}${head}}`
  }

  message(): Frame[] {
    return [frame.JOB, `${this.heads}]`, ...this.bodies]
  }
}

/** Who wants to know what becomes of a job, by its id: what was said meanwhile, and what came of it. As bytes, for whoever it is. */
import type { Codec } from "../codec/index.js"
import { CodecError } from "../codec/index.js"
import { PipelineError } from "./errors.js"

/** By group, what came with its ack; a group that said nothing is not there. */
export type Results = ReadonlyMap<string, Uint8Array>

/** One of these ends it: `onDone` or `onFailed`. */
export interface Wish {
  onProgress(body: Uint8Array, group: string): void
  onDone(results: Results): void
  onFailed(error: PipelineError): void
}

export class Wishes {
  private readonly byId = new Map<string, Wish[]>()

  has(id: string): boolean {
    return this.byId.has(id)
  }

  ids(): string[] {
    return [...this.byId.keys()]
  }

  add(id: string, wish: Wish): void {
    const others = this.byId.get(id)
    if (others === undefined) this.byId.set(id, [wish])
    else others.push(wish)
  }

  /** It is wished no more. */
  remove(id: string, wish: Wish): void {
    const left = this.byId.get(id)?.filter(other => other !== wish) ?? []
    if (left.length > 0) this.byId.set(id, left)
    else this.byId.delete(id)
  }

  progress(id: string, body: Uint8Array, group: string): void {
    for (const wish of this.byId.get(id) ?? []) wish.onProgress(body, group)
  }

  done(id: string, results: Results): void {
    for (const wish of this.take(id)) wish.onDone(results)
  }

  failed(id: string, error: PipelineError): void {
    for (const wish of this.take(id)) wish.onFailed(error)
  }

  close(error: PipelineError): void {
    for (const id of this.ids()) this.failed(id, error)
  }

  private take(id: string): readonly Wish[] {
    const wishes = this.byId.get(id)
    if (wishes === undefined) return []
    this.byId.delete(id)
    return wishes
  }
}

/** The wish of who sent a job, in his terms. */
export class SenderWish implements Wish {
  /** What the handler returned; an object by group where there are groups. */
  readonly done: Promise<unknown>
  private resolve!: (value: unknown) => void
  private reject!: (error: unknown) => void

  /** @param onUndecodable What was told cannot be decoded. */
  constructor(
    private readonly codec: Codec<unknown>,
    private readonly groups: () => readonly string[],
    private readonly tell: ((value: unknown, group: string) => void) | undefined,
    private readonly onUndecodable: (error: CodecError) => void,
  ) {
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    this.done.catch(() => {}) // Who does not look at it does not want to fall over it.
  }

  onProgress(body: Uint8Array, group: string): void {
    if (this.tell === undefined) return
    try {
      const value = this.codec.decode(body)
      // In a turn of its own: what a listener throws is not the producer's.
      void Promise.resolve().then(() => this.tell!(value, group))
    } catch (error) {
      if (!(error instanceof CodecError)) throw error
      this.onUndecodable(error)
    }
  }

  onDone(results: Results): void {
    const groups = this.groups()
    const resultOf = (group: string) => {
      const body = results.get(group)
      return body === undefined ? undefined : this.codec.decode(body)
    }
    try {
      const isPlain = groups.length === 1 && groups[0] === ""
      this.resolve(isPlain ? resultOf("") : Object.fromEntries(groups.map(group => [group, resultOf(group)])))
    } catch (error) {
      this.reject(error)
    }
  }

  onFailed(error: PipelineError): void {
    this.reject(error)
  }
}

export function deadError(id: string, group: string, reason: string): PipelineError {
  const where = group === "" ? "" : ` in the group ${group}`
  return new PipelineError("EDEAD", `${id} is a dead letter${where}: ${reason}`)
}

export function goneError(id: string): PipelineError {
  return new PipelineError(
    "ENOENT",
    `${id} was accepted before, and what comes of it is not kept: it is done, or was sent without want`,
  )
}

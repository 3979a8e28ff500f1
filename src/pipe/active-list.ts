/**
 * Pipes in turn, of which only some are ready: a round robin over the active ones that costs nothing for the others. The
 * active ones stand first in one array, as in libzmq's load balancer and fair queue.
 */
import type { Pipe } from "./pipe.js"

export class ActiveList {
  private readonly pipes: Pipe[] = []
  private readonly places = new Map<Pipe, number>()
  private active = 0
  private turn = 0

  /** The active pipe whose turn it is. */
  get current(): Pipe | undefined {
    return this.active === 0 ? undefined : this.pipes[this.turn]
  }

  /** Whether there is just one active pipe, so that no other one waits for its turn. */
  get single(): boolean {
    return this.active === 1
  }

  add(pipe: Pipe, active: boolean): void {
    this.places.set(pipe, this.pipes.length)
    this.pipes.push(pipe)
    if (active) this.activate(pipe)
  }

  has(pipe: Pipe): boolean {
    return this.places.has(pipe)
  }

  remove(pipe: Pipe): void {
    if (!this.places.has(pipe)) return
    this.deactivate(pipe)
    const last = this.pipes.length - 1
    this.swap(this.places.get(pipe) as number, last)
    this.pipes.pop()
    this.places.delete(pipe)
  }

  activate(pipe: Pipe): void {
    const place = this.places.get(pipe)
    if (place === undefined || place < this.active) return
    this.swap(place, this.active)
    this.active++
  }

  deactivate(pipe: Pipe): void {
    const place = this.places.get(pipe)
    if (place === undefined || place >= this.active) return
    this.active--
    this.swap(place, this.active)
    if (this.turn >= this.active) this.turn = 0
  }

  /** The next one's turn. */
  advance(): void {
    this.turn = this.turn + 1 >= this.active ? 0 : this.turn + 1
  }

  [Symbol.iterator](): Iterator<Pipe> {
    return this.pipes[Symbol.iterator]()
  }

  private swap(a: number, b: number): void {
    if (a === b) return
    const first = this.pipes[a] as Pipe
    const second = this.pipes[b] as Pipe
    this.pipes[a] = second
    this.pipes[b] = first
    this.places.set(second, a)
    this.places.set(first, b)
  }
}

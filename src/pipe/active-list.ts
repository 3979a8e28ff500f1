/**
 * Pipes in turn, of which only some are ready: a round robin over the active ones that costs nothing for the others. The
 * active ones stand first in one array, as in libzmq's load balancer and fair queue.
 */
import type { Pipe } from "./pipe.js"

/** Pipes up to which no map of their places is kept. */
const FEW = 8

export class ActiveList {
  private pipes: Pipe[] = []
  /** Where each pipe stands; null while there are so few that looking is as quick. */
  private places: Map<Pipe, number> | null = null
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
    // One that is alone gets an array of one: the first push would make room for 17.
    if (this.pipes.length === 0) this.pipes = [pipe]
    else this.pipes.push(pipe)
    if (this.places !== null) this.places.set(pipe, this.pipes.length - 1)
    else if (this.pipes.length > FEW) this.places = new Map(this.pipes.map((each, place) => [each, place]))
    if (active) this.activate(pipe)
  }

  has(pipe: Pipe): boolean {
    return this.placeOf(pipe) >= 0
  }

  remove(pipe: Pipe): void {
    if (this.placeOf(pipe) < 0) return
    this.deactivate(pipe)
    const last = this.pipes.length - 1
    this.swap(this.placeOf(pipe), last)
    this.pipes.pop()
    this.places?.delete(pipe)
  }

  activate(pipe: Pipe): void {
    const place = this.placeOf(pipe)
    if (place < 0 || place < this.active) return
    this.swap(place, this.active)
    this.active++
  }

  deactivate(pipe: Pipe): void {
    const place = this.placeOf(pipe)
    if (place < 0 || place >= this.active) return
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

  private placeOf(pipe: Pipe): number {
    return this.places === null ? this.pipes.indexOf(pipe) : (this.places.get(pipe) ?? -1)
  }

  private swap(a: number, b: number): void {
    if (a === b) return
    const first = this.pipes[a] as Pipe
    const second = this.pipes[b] as Pipe
    this.pipes[a] = second
    this.pipes[b] = first
    if (this.places === null) return
    this.places.set(second, a)
    this.places.set(first, b)
  }
}

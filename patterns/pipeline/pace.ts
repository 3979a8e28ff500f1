/**
 * Lets so many through in one turn of the event loop, and the others in a later one. A store in memory is done at once, and
 * awaiting what is done never lets the loop turn: without this a loop of sends would fill the queue before anybody gets a job.
 */
import type { Clock } from "../typed/runtime.js"

const MOST = 512

export class Pace {
  private passed = 0
  private turn: Promise<void> = Promise.resolve()

  constructor(private readonly clock: Clock) {}

  tryPass(): boolean {
    if (this.passed >= MOST) return false
    if (this.passed++ === 0) {
      this.turn = new Promise(resolve => {
        this.clock.after(0, () => {
          this.passed = 0
          resolve()
        })
      })
    }
    return true
  }

  /** Resolves when some may pass again. */
  get nextTurn(): Promise<void> {
    return this.turn
  }
}

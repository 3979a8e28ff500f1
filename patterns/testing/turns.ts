/**
 * One step a turn: between two steps everything runs that the first has made ready, however long the chain of promises. The
 * only file here that asks the event loop for anything. Immediates are arranged many at a time, as Node runs those of one
 * round without looking for input and output in between, and still empties the queue of microtasks after each.
 */

/** Turns that are arranged at a time. */
const BATCH = 64

/** Calls `step` once a turn, until it returns false (resolves) or throws (rejects). */
export function turns(step: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let over = false
    let left = 0
    const arrange = () => {
      left = BATCH
      for (let turn = 0; turn < BATCH; turn++) setImmediate(take)
    }
    const take = () => {
      if (over) return
      try {
        over = !step()
        if (over) resolve()
        else if (--left === 0) arrange()
      } catch (error) {
        over = true
        reject(error)
      }
    }
    arrange()
  })
}

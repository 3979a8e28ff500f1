/**
 * Waiting in tests: poll until something holds, and say what did not when the deadline passes.
 */
export const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

/** Calls `probe` until it gives something truthy, and returns that. A probe that throws has not succeeded yet. */
export async function eventually<T>(probe: () => T | Promise<T>, within = 5_000): Promise<T> {
  const deadline = Date.now() + within
  for (;;) {
    let failure: unknown
    try {
      const value = await probe()
      if (value) return value
      failure = new Error(`gave ${String(value)}`)
    } catch (error) {
      failure = error
    }
    if (Date.now() > deadline) throw new Error(`did not hold within ${within} ms: ${probe}`, { cause: failure })
    await pause(10)
  }
}

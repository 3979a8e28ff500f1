/** Resident memory of this process once garbage collection has nothing more to give back. */

const pauseMs = 100
const attempts = 30
const steady = 0.005

export async function settledMemory(): Promise<number> {
  let last = Number.POSITIVE_INFINITY
  for (let i = 0; i < attempts; i++) {
    globalThis.gc?.()
    await new Promise(resolve => setTimeout(resolve, pauseMs))
    const bytes = process.memoryUsage.rss()
    if (Math.abs(bytes - last) < bytes * steady) return bytes
    last = bytes
  }
  return last
}

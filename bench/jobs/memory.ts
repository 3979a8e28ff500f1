/** What this process holds: live objects and buffers, and what of it is resident, behind a collection of garbage. */
export function memory(): { live: number; resident: number } {
  globalThis.gc?.()
  globalThis.gc?.() // The first one leaves what waits for finalizers.
  const { heapUsed, external, rss } = process.memoryUsage()
  return { live: heapUsed + external, resident: rss }
}

/**
 * What the three kinds of child process share: Ctrl-C in a terminal reaches every process of the demo at once, but
 * only main acts on it and tells the children to stop; and when main is gone, killed say, so are they.
 */
export function liveWithParent(): void {
  process.on("SIGINT", () => {})
  process.once("disconnect", () => process.exit(1))
  // The channel to the parent is there for that alone: it must not keep a child alive that has done its job.
  process.channel?.unref()
}

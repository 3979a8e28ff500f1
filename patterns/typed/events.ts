/** Listeners by event. One that throws ends nothing here: its error is thrown where nobody catches it, as Node's emitters do. */
import type { Clock } from "./runtime.js"

export class Events<Map extends object> {
  private readonly listeners = new globalThis.Map<keyof Map, ((event: never) => void)[]>()

  constructor(private readonly clock: Clock) {}

  on<Name extends keyof Map>(name: Name, listener: (event: Map[Name]) => void): void {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener])
  }

  off<Name extends keyof Map>(name: Name, listener: (event: Map[Name]) => void): void {
    this.listeners.set(
      name,
      (this.listeners.get(name) ?? []).filter(other => other !== listener),
    )
  }

  emit<Name extends keyof Map>(name: Name, event: Map[Name]): void {
    for (const listener of this.listeners.get(name) ?? []) {
      try {
        listener(event as never)
      } catch (error) {
        this.clock.after(0, () => {
          throw error
        })
      }
    }
  }
}

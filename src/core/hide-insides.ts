/**
 * What logs and JSON show of the objects that users hold: their name and no more, as with `zeromq`. Their insides are of no
 * use to a reader, fill screens, and lead in circles, which JSON.stringify answers with an exception.
 */
const INSPECT = Symbol.for("nodejs.util.inspect.custom")

export function hideInsides({ prototype }: { prototype: object }): void {
  const show = function (this: object) {
    return `${this.constructor.name} {}`
  }
  Object.defineProperty(prototype, INSPECT, { configurable: true, value: show })
  Object.defineProperty(prototype, "toJSON", { configurable: true, value: () => ({}) })
}

/** The face of a client: the methods of what is served elsewhere, and `$` for the client itself. */
import { Caller, type ClientOptions } from "./client.js"
import type { CallOptions, Client } from "./types.js"

export type Connected<Implementation> = Client<Implementation> & {
  /** The client itself: `close`, `stats`, `describe`, `add`, `remove`, `on`. */
  readonly $: Caller
  [Symbol.asyncDispose](): Promise<void>
}

/** `connect<typeof math>({ to })`: each method of it can be called. Types are only said; what comes is the server's word. */
export function connect<Implementation extends object>(options: ClientOptions): Connected<Implementation> {
  const caller = new Caller(options)
  const methods = namespace(caller, "", {})
  const own = new Map<string | symbol, unknown>([
    ["$", caller],
    [Symbol.asyncDispose, () => caller.close()],
  ])
  return new Proxy(methods, {
    get: (_, name) => own.get(name) ?? Reflect.get(methods, name),
  }) as Connected<Implementation>
}

/** What has methods by any name, and is `target` besides. Each is made once. */
function namespace(caller: Caller, prefix: string, target: object): object {
  const known = new Map<string, object>()
  return new Proxy(target, {
    get: (_, name) => {
      // Who awaits it is not to be kept waiting.
      if (typeof name === "symbol" || name === "then") return undefined
      let method = known.get(name)
      if (method === undefined) {
        const path = prefix + name
        const call = (argument?: unknown, options?: CallOptions) => caller.call(path, argument, options)
        method = namespace(caller, `${path}.`, call)
        known.set(name, method)
      }
      return method
    },
  })
}

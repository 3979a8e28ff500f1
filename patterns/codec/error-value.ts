/** Errors as values: which of their properties travel, and how an error is made of them again. */

/** The classes that are made again; an error of another is an Error by that name. */
const CLASSES: Record<string, ErrorConstructor> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
}

/** What travels of an error, its stack included: who does not want to tell that sends something else. */
export function propertiesOf(error: Error): [string, unknown][] {
  const { name, message, stack, code } = error as Error & { code?: unknown }
  const properties: [string, unknown][] = [
    ["name", String(name)],
    ["message", String(message)],
  ]
  if (typeof stack === "string") properties.push(["stack", stack])
  if (typeof code === "string" || typeof code === "number") properties.push(["code", code])
  if ("cause" in error) properties.push(["cause", error.cause])
  if (error instanceof AggregateError) properties.push(["errors", error.errors])
  return properties
}

/** The error of these properties. Whoever sent them may have left out any, or put there what he liked: TypeError for no text. */
export function errorOf(properties: Record<string, unknown>): Error {
  const { name, message, stack, code, cause, errors } = properties
  if (typeof name !== "string" || typeof message !== "string")
    throw new TypeError("an error without a name or a message")
  const options = "cause" in properties ? { cause } : undefined
  const isAggregate = name === "AggregateError" && Array.isArray(errors)
  const Class = Object.hasOwn(CLASSES, name) ? CLASSES[name]! : Error
  const error = isAggregate ? new AggregateError(errors, message, options) : new Class(message, options)
  if (error.name !== name) define(error, "name", name)
  // Where it was read is of no use to anybody.
  define(error, "stack", typeof stack === "string" ? stack : `${name}: ${message}`)
  if (typeof code === "string" || typeof code === "number") Object.assign(error, { code })
  return error
}

function define(error: Error, name: string, value: string): void {
  Object.defineProperty(error, name, { value, writable: true, configurable: true })
}

/** Names that nobody else is likely to have; no secrets. */
import type { TypedRuntime } from "./runtime.js"

const LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"

export function randomName({ random }: TypedRuntime, length: number): string {
  let name = ""
  while (name.length < length) name += LETTERS[Math.floor(random() * LETTERS.length)]
  return name
}

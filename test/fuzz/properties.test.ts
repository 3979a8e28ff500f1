/**
 * The properties of a READY command: whatever the bytes are, decoding gives properties that were in them, or throws a
 * ProtocolError with the code it was told; it never reads behind the end, and holds no more memory than came.
 */
import { expect, it } from "vitest"
import { ProtocolError } from "../../src/errors.js"
import { commandName, decodeProperties, encodeProperties } from "../../src/wire/command.js"
import { toHex } from "../support/link.js"
import { property } from "../support/raw-zmtp.js"
import { check, fuzz, fuzzing, isUsualRun, mutate, type Random } from "./random.js"

const CODE = "ERR_ZMTP_MALFORMED_COMMAND_READY"

function properties(random: Random): Uint8Array {
  const some = Array.from({ length: random.below(5) }, () =>
    property(
      random.pick(["Socket-Type", "Identity", "", "X-a", "x".repeat(255)]),
      Buffer.from(random.bytes(random.below(50))),
    ),
  )
  return Buffer.concat(some)
}

it("any bytes are properties, or malformed", fuzzing, () => {
  let good = 0
  let malformed = 0
  fuzz(20_000, random => {
    const data = random.once(4) ? random.bytes(random.below(60)) : mutate(random, properties(random))
    // In the middle of a larger buffer, as a chunk holds them.
    const offset = random.below(20)
    const chunk = new Uint8Array(offset + data.length + 300).fill(1)
    chunk.set(data, offset)
    try {
      const decoded = decodeProperties(chunk.subarray(offset, offset + data.length), CODE)
      const size = [...decoded].reduce((sum, [name, value]) => sum + 5 + name.length + value.length, 0)
      check(size <= data.length, `${size} bytes of ${data.length}`)
      // Without a name that comes twice they are the very bytes.
      if (size === data.length) check(toHex(encodeProperties(decoded)) === toHex(data), `not ${toHex(data)}`)
      for (const [, value] of decoded) check(value.buffer.byteLength === value.length, "a value that pins the chunk")
      good++
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      check(error.code === CODE, `the code ${error.code}`)
      malformed++
    }
  })
  if (isUsualRun) expect(Math.min(good, malformed)).toBeGreaterThan(1000)
})

it("any bytes have a command's name, or none", fuzzing, () => {
  fuzz(5_000, random => {
    const body = random.bytes(random.below(40))
    const name = commandName(body)
    const whole = body.length > 0 && body[0]! < body.length
    const expected = whole ? Buffer.from(body.subarray(1, 1 + body[0]!)).toString("latin1") : null
    check(name === expected, `${name} for ${expected}`)
  })
})

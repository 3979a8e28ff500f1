/** A message of a RADIO as a datagram: length of the group, group, body, up to 8,192 bytes; and what is no such datagram. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { bufferBytes } from "../../patterns/bytes.js"
import { LONGEST_GROUP_DATAGRAM, packedSize, packGroup, unpackGroup } from "../../src/wire/group-datagram.js"
import { fuzz, fuzzing } from "../fuzz/random.js"

const bytes = (text: string) => Buffer.from(text, "latin1")

describe("a message as a datagram", () => {
  it.each([
    ["", "", "\0"],
    ["g", "", "\u0001g"],
    ["", "body", "\0body"],
    ["Movies", "Godfather", "\u0006MoviesGodfather"],
    ["x".repeat(255), "y", `\u00ff${"x".repeat(255)}y`],
  ])("%j, %j", (group, body, datagram) => {
    const message = [bytes(group), bytes(body)]
    expect(packedSize(message)).toBe(datagram.length)
    expect(packGroup(message, bufferBytes)).toEqual(bytes(datagram))
    expect(unpackGroup(bytes(datagram), bufferBytes)).toEqual(message)
  })

  it("comes out as it went in, wherever it stands in its memory", () => {
    const part = (maxLength: number) => fc.uint8Array({ maxLength }).map(array => Buffer.from(array))
    fc.assert(
      fc.property(part(255), part(2000), fc.nat(50), (group, body, offset) => {
        const datagram = packGroup([group, body], bufferBytes)
        const memory = Buffer.concat([Buffer.alloc(offset, 1), datagram, Buffer.alloc(3, 2)])
        expect(unpackGroup(memory.subarray(offset, offset + datagram.length), bufferBytes)).toEqual([group, body])
      }),
    )
  })

  it("shares no memory with the message it was made of, nor the group with the datagram", () => {
    const message = [bytes("group"), bytes("body")]
    const datagram = packGroup(message, bufferBytes)
    message[0]!.fill(0)
    message[1]!.fill(0)
    const [group] = unpackGroup(datagram, bufferBytes)!
    datagram.fill(1)
    expect(String(group)).toBe("group")
  })

  it.each([
    ["empty", ""],
    ["without its group", "\u0001"],
    ["with half of its group", "\u0005grou"],
    ["too long", `\u0001g${"x".repeat(LONGEST_GROUP_DATAGRAM - 1)}`],
  ])("a datagram that is %s is none", (_, datagram) => {
    expect(unpackGroup(bytes(datagram), bufferBytes)).toBeNull()
  })

  it("any datagram is one that packs to the same bytes, or none", { timeout: fuzzing.timeout }, () => {
    let taken = 0
    fuzz(2000, random => {
      const datagram = random.bytes(random.once(50) ? 8150 + random.below(80) : random.below(300))
      const message = unpackGroup(datagram, bufferBytes)
      if (message === null) return
      taken++
      expect(Buffer.compare(packGroup(message, bufferBytes), datagram)).toBe(0)
    })
    expect(taken).toBeGreaterThan(0)
  })
})

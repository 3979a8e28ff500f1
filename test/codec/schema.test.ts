/** Schemas of three libraries on what arrives: what fits, what is made of it, what is said of what does not, and the types. */
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { type } from "arktype"
import { type Codec, CodecError, codecOf, json, msgpack, raw, withSchema } from "peerlane/codec"
import * as v from "valibot"
import { describe, expect, expectTypeOf, it } from "vitest"
import { z } from "zod"

interface Job {
  id: number
  name: string
}

const schemas = {
  zod: z.object({ id: z.number(), name: z.string() }),
  valibot: v.object({ id: v.number(), name: v.string() }),
  arktype: type({ id: "number", name: "string" }),
}
const job: Job = { id: 1, name: "sweep" }

function errorOf(run: () => unknown): CodecError {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(CodecError)
    return error as CodecError
  }
  throw new Error("nothing was thrown")
}

describe.each(Object.entries(schemas))("a schema of %s", (_, schema: StandardSchemaV1<Job>) => {
  it.each([msgpack({ schema }), json({ schema }), withSchema(msgpack(), schema), codecOf({ schema })])(
    "takes what fits and says what does not",
    codec => {
      expect(codec.decode(codec.encode(job))).toEqual(job)
      const bytes = codec.encode({ id: "one", name: 1 } as unknown as Job)
      const error = errorOf(() => codec.decode(bytes))
      expect(error).toMatchObject({ code: "ESCHEMA", bytes })
      expect(error.issues?.length).toBeGreaterThan(0)
      expect(error.message).toMatch(/id/)
      expect(errorOf(() => codec.decode(Buffer.from("c1", "hex"))).code).toBe("EDECODE")
    },
  )
})

describe("schemas", () => {
  it("make the value of what came", () => {
    const schema = z.object({ at: z.string().transform(text => new Date(text)), tries: z.number().default(0) })
    const codec = json({ schema })
    expectTypeOf(codec.decode).returns.toEqualTypeOf<{ at: Date; tries: number }>()
    expectTypeOf(codec.encode).parameter(0).toEqualTypeOf<{ at: string; tries?: number | undefined }>()
    const at = "2026-01-01T00:00:00.000Z"
    expect(codec.decode(codec.encode({ at }))).toEqual({ at: new Date(at), tries: 0 })
  })

  it("that are async are refused, and leave no rejection behind", () => {
    const failing = {
      "~standard": { version: 1, vendor: "test", validate: () => Promise.reject(new Error("late")) },
    } as const
    for (const schema of [z.string().refine(async () => true), failing]) {
      const codec = msgpack({ schema })
      expect(errorOf(() => codec.decode(codec.encode("x" as never)))).toMatchObject({ code: "ENOTSUP" })
    }
  })

  it("that throw do so as ESCHEMA", () => {
    const cause = new Error("bug")
    const schema = v.pipe(
      v.string(),
      v.check(() => {
        throw cause
      }),
    )
    const codec = msgpack({ schema })
    expect(errorOf(() => codec.decode(codec.encode("x")))).toMatchObject({ code: "ESCHEMA", cause })
  })

  it("may be on any codec, and must be schemas", () => {
    const word = withSchema(
      raw,
      z.instanceof(Uint8Array).transform(bytes => Buffer.from(bytes).toString()),
    )
    expectTypeOf(word.decode).returns.toEqualTypeOf<string>()
    expect(word.decode(Buffer.from("hi"))).toBe("hi")
    expect(word.name).toBe("raw")
    expect(() => msgpack({ schema: {} as StandardSchemaV1 })).toThrow(TypeError)
  })

  it("show three issues in the text, and all in the list", () => {
    const schema = z.object(Object.fromEntries([..."abcde"].map(name => [name, z.number()])))
    const codec = msgpack({ schema })
    const error = errorOf(() => codec.decode(codec.encode({})))
    expect(error.message).toMatch(/: a: .*; b: .*; c: .*; and 2 more$/)
    expect(error.issues).toHaveLength(5)
  })
})

describe("what stands for a codec", () => {
  it("is a codec, options of msgpack, or nothing", () => {
    expect(codecOf().name).toBe("msgpack")
    expect(codecOf({ maxBytes: 10 }).name).toBe("msgpack")
    expect(codecOf(json()).name).toBe("json")
    expect(() => codecOf("json" as never)).toThrow(TypeError)
  })

  it("has the types of what it means", () => {
    expectTypeOf(msgpack()).toEqualTypeOf<Codec<unknown>>()
    expectTypeOf(msgpack<Job>()).toEqualTypeOf<Codec<Job>>()
    expectTypeOf(codecOf({ schema: schemas.zod }).decode).returns.toEqualTypeOf<Job>()
    expectTypeOf(codecOf({ schema: schemas.valibot }).decode).returns.toEqualTypeOf<Job>()
    expectTypeOf(codecOf({ schema: schemas.arktype }).decode).returns.toEqualTypeOf<Job>()
    expectTypeOf(codecOf({ maxBytes: 1 }).decode).returns.toBeUnknown()
    expectTypeOf(codecOf(json<Job>()).encode).parameter(0).toEqualTypeOf<Job>()
    expectTypeOf(raw.decode).returns.toEqualTypeOf<Uint8Array>()
  })
})

/** `peerlane/codec`: values in place of bytes, checked when they arrive, on the sockets of Peerlane or of the `zeromq` package. */
export { type CodecLike, codecOf, type Decoded, type Encoded } from "./choose.js"
export { type Codec, CodecError, type CodecErrorCode, type CodecErrorDetails } from "./codec.js"
export { json } from "./json.js"
export type { CodecLimits } from "./limits.js"
export { msgpack } from "./msgpack.js"
export { raw } from "./raw.js"
export { type SchemaOption, withSchema } from "./schema.js"
export {
  type Receives,
  type Sends,
  type Typed,
  type TypedMessage,
  type TypedOptions,
  type TypedReceiver,
  type TypedSender,
  typed,
} from "./typed.js"

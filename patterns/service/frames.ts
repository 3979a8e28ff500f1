/** The commands of PROTOCOL.md. */
import { Protocol } from "../typed/protocol.js"

export const protocol = new Protocol("PS1", "service", [
  "HELLO",
  "CALL",
  "CANCEL",
  "CREDIT",
  "DESCRIBE",
  "PING",
  "BYE",
  "WELCOME",
  "RESULT",
  "ERROR",
  "ITEM",
  "END",
  "DESCRIPTION",
  "DRAINING",
  "WHO",
  "PONG",
  "REFUSED",
])

export const { frame } = protocol

export type Command = keyof typeof frame

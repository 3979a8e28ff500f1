/** The commands of PROTOCOL.md. */
import { Protocol } from "../typed/protocol.js"

export const protocol = new Protocol("PL1", "pipeline", [
  "HELLO",
  "CREDIT",
  "ACK",
  "NACK",
  "REJECT",
  "RETURN",
  "EXTEND",
  "PROGRESS",
  "PING",
  "BYE",
  "SUBMIT",
  "WANT",
  "WELCOME",
  "JOB",
  "DONE",
  "STALE",
  "ACCEPTED",
  "DECLINED",
  "RESULT",
  "WHO",
  "PONG",
  "REFUSED",
])

export const { frame } = protocol

export type Command = keyof typeof frame

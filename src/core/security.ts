/**
 * The mechanism of a socket, as its options say (libzmq): whichever security option was set last decides, and whether this
 * side is the server. The keys are 32 bytes each.
 */
import { ZmqError } from "../errors.js"
import type { OptionName } from "../options.js"
import type { BoxLoader } from "../wire/curve-boxes.js"
import { curveClient } from "../wire/curve-client.js"
import { curveServer } from "../wire/curve-server.js"
import type { MechanismFactory } from "../wire/mechanism.js"
import { askingNullMechanism, nullMechanism } from "../wire/null.js"
import { plainClient, plainServer } from "../wire/plain.js"

const NOTHING = new Uint8Array(0)

/** What options were set to, as bytes. */
interface Secrets {
  bytesOf(name: OptionName): Uint8Array | null
}

export class Security {
  mechanism: "NULL" | "PLAIN" | "CURVE" = "NULL"
  private server = false

  /** An option was set. */
  onSet(name: OptionName, value: unknown): void {
    switch (name) {
      case "plainServer":
        this.choose(value === true ? "PLAIN" : "NULL", value === true)
        return
      case "plainUsername":
      case "plainPassword":
        this.choose(value === null ? "NULL" : "PLAIN", false)
        return
      case "curveServer":
        this.choose(value === true ? "CURVE" : "NULL", value === true)
        return
      case "curveServerKey":
        this.choose("CURVE", false)
        return
      case "curvePublicKey":
      case "curveSecretKey":
        this.choose("CURVE", this.server)
    }
  }

  /** What reading the options of servers gives: only the mechanism that is chosen has one (libzmq). */
  get roles(): { plainServer: boolean; curveServer: boolean } {
    return {
      plainServer: this.server && this.mechanism === "PLAIN",
      curveServer: this.server && this.mechanism === "CURVE",
    }
  }

  /** `asked`: there is somebody to ask about peers that show nothing. EINVAL when keys are missing, ENOTSUP when boxes cannot be had. */
  factory(secrets: Secrets, boxes: BoxLoader, asked: boolean): MechanismFactory {
    if (this.mechanism === "NULL") return asked ? askingNullMechanism : nullMechanism
    if (this.mechanism === "PLAIN") {
      if (this.server) return plainServer
      return plainClient(secrets.bytesOf("plainUsername") ?? NOTHING, secrets.bytesOf("plainPassword") ?? NOTHING)
    }
    boxes.check()
    const secretKey = key(secrets, "curveSecretKey")
    if (this.server) return curveServer(boxes, secretKey)
    const own = { publicKey: key(secrets, "curvePublicKey"), secretKey }
    return curveClient(boxes, own, key(secrets, "curveServerKey"))
  }

  private choose(mechanism: "NULL" | "PLAIN" | "CURVE", server: boolean): void {
    this.mechanism = mechanism
    this.server = server
  }
}

function key(secrets: Secrets, name: OptionName): Uint8Array {
  const bytes = secrets.bytesOf(name)
  if (bytes === null) throw new ZmqError("EINVAL", { detail: `CURVE takes ${name}, which is not set` })
  return bytes
}

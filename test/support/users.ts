/** Sockets whose peers have user ids: by PLAIN with any password, or by CURVE with the keys of a user. */
import { curveKeyPair, type Socket } from "../../patterns/index.js"

export type Mechanism = "PLAIN" | "CURVE"

/** What a client sets to be that user. libzmq's sockets have the same options. */
export interface UserOptions {
  plainUsername?: string
  plainPassword?: string
  curvePublicKey?: string
  curveSecretKey?: string
  curveServerKey?: string
}

const NOBODY = "nobody"

/** Makes a server of a socket that is not bound yet, and gives what its clients set to be somebody; null: nobody by name. */
export function knowsUsers(server: Socket, mechanism: Mechanism): (user: string | null) => UserOptions {
  const users = new Map<string, string | null>()
  server.authenticate = ({ username, publicKey }) => {
    const user = mechanism === "PLAIN" ? username : users.get(publicKey ?? "")
    return user === undefined ? false : { userId: user === null || user === NOBODY ? "" : user }
  }
  if (mechanism === "PLAIN") {
    server.plainServer = true
    // libzmq takes no empty user name.
    return user => ({ plainUsername: user ?? NOBODY, plainPassword: "secret" })
  }
  const keys = curveKeyPair()
  server.curveServer = true
  server.curveSecretKey = keys.secretKey
  return user => {
    const { publicKey, secretKey } = curveKeyPair()
    users.set(publicKey, user)
    return { curvePublicKey: publicKey, curveSecretKey: secretKey, curveServerKey: keys.publicKey }
  }
}

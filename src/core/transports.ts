/** The registry: the one place where concrete transports are named. inproc moves messages, not bytes (inproc.ts). */
import { ipc } from "../transport/ipc.js"
import { tcp } from "../transport/tcp.js"
import type { Transport } from "../transport/transport.js"

export const transports: readonly Transport[] = [tcp, ipc]

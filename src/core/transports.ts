/** The registry: the one place where concrete transports are named. inproc moves messages, not bytes (inproc.ts). */
import { ipc } from "../transport/ipc.js"
import { tcp } from "../transport/tcp.js"
import { threads } from "../transport/threads.js"
import { tls } from "../transport/tls.js"
import type { Threads, Transport } from "../transport/transport.js"

export const transports: readonly Transport[] = [tcp, ipc, tls]

/** The other threads of the process, for inproc names that they share. */
export const otherThreads: Threads = threads

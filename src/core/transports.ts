/** The registry: the one place where concrete transports are named. inproc moves messages, not bytes (inproc.ts). */

import type { DatagramTransport } from "../transport/datagram.js"
import { ipc } from "../transport/ipc.js"
import { tcp } from "../transport/tcp.js"
import { threads } from "../transport/threads.js"
import { tls } from "../transport/tls.js"
import type { Threads, Transport } from "../transport/transport.js"
import { udp } from "../transport/udp.js"

export const transports: readonly Transport[] = [tcp, ipc, tls]
export const datagrams: readonly DatagramTransport[] = [udp]

/** The other threads of the process, for inproc names that they share. */
export const otherThreads: Threads = threads

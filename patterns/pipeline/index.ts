/** `peerlane/pipeline`: jobs for workers, from a queue that lives with their producer. At least once, never lost. */
export type { Disk, DiskFile, DiskLock } from "../store/disk.js"
export { type LogOptions, type LogStats, type LogStore, logStore } from "../store/log.js"
export { memoryStore } from "../store/memory.js"
export { nodeDisk } from "../store/node-disk.js"
export { salvage } from "../store/salvage.js"
export type { Cut, Opened, Store } from "../store/store.js"
export { StoreError, type StoreErrorCode } from "../store/store-error.js"
export type { WaitOptions } from "../typed/waiting.js"
export type { Backoff } from "./backoff.js"
export {
  Consumer,
  type ConsumerEvents,
  type ConsumerOptions,
  type ConsumerStats,
  type JobContext,
  type RunOptions,
} from "./consumer.js"
export type { DeadLetter, DeadLetters } from "./dead-letters.js"
export type { Delivery } from "./delivery.js"
export { PipelineError, type PipelineErrorCode, Rejection } from "./errors.js"
export { type Handler, Inbox, type InboxOptions } from "./inbox.js"
export type { Priority } from "./job.js"
export { Producer } from "./producer.js"
export type {
  ConnectingOptions,
  HoldingOptions,
  ProducerEvents,
  ProducerOptions,
  ProducerStats,
  SendOptions,
  Sent,
} from "./producer-options.js"

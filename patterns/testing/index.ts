/**
 * `peerlane/testing`: a simulated world from a seed, in which programs over Router and Dealer run, and fail, in the same way each time;
 * and what every store is held to.
 */
export { type StoreCheck, type StoreUnderTest, storeConformance } from "../store/conformance.js"
export type { Disk, DiskFile, DiskLock } from "../store/disk.js"
export type { Cut, Opened, Store } from "../store/store.js"
export type { Clock, TypedRuntime } from "../typed/runtime.js"
export type { Sockets, TypedDealer, TypedRouter, TypedSocket } from "../typed/sockets.js"
export type { SimulatedDealerOptions } from "./dealer.js"
export type { SimulatedDisk } from "./disk.js"
export type { FaultKind, Faults } from "./fault-kinds.js"
export type { Machine, Program } from "./machine.js"
export type { Network } from "./network.js"
export { createRandom, type Random } from "./random.js"
export type { SimulatedRouterOptions } from "./router.js"
export { type FaultPlan, type PlannedFault, type PlannedKind, scheduleFaults } from "./schedule-faults.js"
export { createWorld, type RunEnd, type RunOptions, World, type WorldOptions } from "./world.js"

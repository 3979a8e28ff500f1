/** `peerlane/store/lmdb`: the store on LMDB, by the package `lmdb`, which you install beside Peerlane. */
export { StoreError } from "../store-error.js"
export { type LmdbOptions, lmdbStore } from "./lmdb-store.js"

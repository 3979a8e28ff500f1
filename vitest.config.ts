import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

export default defineConfig({
  resolve: {
    alias: {
      "peerlane/certs": fileURLToPath(new URL("./patterns/certs/index.ts", import.meta.url)),
      "peerlane/codec": fileURLToPath(new URL("./patterns/codec/index.ts", import.meta.url)),
      "peerlane/draft": fileURLToPath(new URL("./patterns/draft/index.ts", import.meta.url)),
      "peerlane/pipeline": fileURLToPath(new URL("./patterns/pipeline/index.ts", import.meta.url)),
      "peerlane/service": fileURLToPath(new URL("./patterns/service/index.ts", import.meta.url)),
      "peerlane/store/lmdb": fileURLToPath(new URL("./patterns/store/lmdb/index.ts", import.meta.url)),
      "peerlane/testing": fileURLToPath(new URL("./patterns/testing/index.ts", import.meta.url)),
      peerlane: fileURLToPath(new URL("./patterns/index.ts", import.meta.url)),
    },
  },
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    teardownTimeout: 5_000,
  },
})

import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const src = fileURLToPath(new URL("src", import.meta.url))

/** Tests that measure what a process holds or how long it pauses, or need what is made as they begin: each has its own process. */
const apart = [
  "test/{Flood,Pauses,Clients}.test.ts",
  "test/service/check/*.test.ts",
  "test/transport/Handshakes.test.ts"
]

const all = ["test/**/*.test.ts", "examples/**/*.test.ts"]

export default defineConfig({
  // Examples import the package by its name: its sources, as tsconfig.json has it too.
  resolve: {
    alias: [
      { find: /^msrp-relay$/, replacement: `${src}/index.ts` },
      { find: /^msrp-relay\/(.+)$/, replacement: `${src}/$1.ts` }
    ]
  },
  test: {
    // Loading the modules anew for each file would take as long as most tests do.
    projects: [
      { extends: true, test: { name: "together", include: all, exclude: apart, isolate: false } },
      { extends: true, test: { name: "apart", include: apart } }
    ],
    // For test/conformance/report.ts: which requirements were proven.
    reporters: ["default", ["json", { outputFile: "node_modules/.cache/tests.json" }]],
    setupFiles: "test/support/properties.ts",
    testTimeout: 20_000
  }
})

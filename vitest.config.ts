import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const src = fileURLToPath(new URL("src", import.meta.url))

export default defineConfig({
  // Examples import the package by its name: its sources, as tsconfig.json has it too.
  resolve: {
    alias: [
      { find: /^msrp-relay$/, replacement: `${src}/index.ts` },
      { find: /^msrp-relay\/(.+)$/, replacement: `${src}/$1.ts` }
    ]
  },
  test: {
    include: ["test/**/*.test.ts", "examples/**/*.test.ts"],
    // For test/conformance/report.ts: which requirements were proven.
    reporters: ["default", ["json", { outputFile: "node_modules/.cache/tests.json" }]],
    testTimeout: 20_000
  }
})

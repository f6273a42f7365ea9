import { defineConfig } from "vitest/config"

export default defineConfig({
  ssr: { resolve: { conditions: ["source"] } },
  resolve: { conditions: ["source"] },
  test: {
    include: ["test/**/*.test.ts", "examples/**/*.test.ts"],
    // For test/conformance/report.ts: which requirements were proven.
    reporters: ["default", ["json", { outputFile: "node_modules/.cache/tests.json" }]],
    testTimeout: 20_000
  }
})

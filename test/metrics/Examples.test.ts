/** What examples/monitoring asks for is what the relay publishes, and Prometheus takes it. */
import { assert, describe, it } from "@effect/vitest"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { families } from "../../src/metrics/Catalogue.ts"
import { attemptPromtool, PROMTOOL } from "./promtool.ts"

const folder = fileURLToPath(new URL("../../examples/monitoring/", import.meta.url))
const file = (name: string) => readFileSync(folder + name, "utf8")

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: ReadonlyArray<{ readonly expr: string }>
}
const dashboard: { readonly panels: ReadonlyArray<Panel>; readonly schemaVersion: number } = JSON.parse(
  file("grafana-dashboard.json")
)
const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))

/** What is wrong with the metrics and labels in a text. */
const problemsOf = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(/\b(msrp_relay_[a-z0-9_]+)(?:\{([^}]*)\})?/g)).flatMap(([, name, matchers = ""]) => {
    const family = families.find((one) =>
      one.type === "histogram"
        ? ["_bucket", "_sum", "_count"].some((suffix) => `${one.name}${suffix}` === name)
        : one.name === name
    )
    if (family === undefined) return [`no metric ${name}`]
    return Array.from(matchers.matchAll(/([a-z]+)(=~|!=|!~|=)"([^"]*)"/g)).flatMap(([, label, operator, value]) => {
      if (["instance", "job"].includes(label!)) return []
      const values = family.labels[label!]
      if (values === undefined) return [`${name} has no label ${label}`]
      // Names of certificates may be any.
      if (typeof values === "string") return []
      const wanted = operator!.includes("~") ? value!.split("|") : [value!]
      return wanted.filter((one) => !values.includes(one)).map((one) => `${name} has no ${label} "${one}"`)
    })
  })

/** A text for which no tool is there is not looked at, and said so. */
const withPromtool = (title: string, body: () => void): void =>
  it(PROMTOOL === undefined ? `${title} (skipped: promtool is not on this machine)` : title, (context) => {
    if (PROMTOOL === undefined) return context.skip()
    body()
  })

describe("examples/monitoring", () => {
  it("names metrics and labels that exist", () => {
    for (const name of ["alerts.yml", "alerts.test.yml", "grafana-dashboard.json"]) {
      assert.deepStrictEqual(problemsOf(file(name).replaceAll("\\\"", "\"")), [], name)
    }
  })

  it("the dashboard shows every metric, and more than one does not stand in the same place", () => {
    const all = expressions.join("\n")
    // What others say better, or say only together with them.
    const elsewhere = new Set(["msrp_relay_requests_accepted_total", "msrp_relay_transactions_begun_total"])
    const missing = families.filter(({ name }) => !all.includes(name) && !elsewhere.has(name))
    assert.deepStrictEqual(missing.map(({ name }) => name), [])
    const { panels } = dashboard
    assert.strictEqual(new Set(panels.map(({ id }) => id)).size, panels.length)
    const taken = new Set<string>()
    for (const { gridPos: { h, w, x, y }, title } of panels) {
      assert.isAtMost(x + w, 24, title)
      for (let i = x; i < x + w; i++) {
        for (let j = y; j < y + h; j++) {
          assert.isFalse(taken.has(`${i} ${j}`), title)
          taken.add(`${i} ${j}`)
        }
      }
    }
  })

  it("the dashboard has the data source that whoever imports it chooses, and no other", () => {
    const uids = [...file("grafana-dashboard.json").matchAll(/"uid": "([^"]*)"/g)].map(([, uid]) => uid)
    assert.sameMembers([...new Set(uids)], ["${datasource}", "-- Grafana --", "msrp-relay"])
  })

  withPromtool("Prometheus takes the rules, their tests and the configuration", () => {
    for (
      const args of [
        ["check", "rules", "alerts.yml"],
        ["check", "config", "prometheus.yml"],
        ["test", "rules", "alerts.test.yml"]
      ]
    ) {
      const { code, output } = attemptPromtool(args, "", folder)
      assert.strictEqual(code, 0, output)
    }
  })

  withPromtool("Prometheus takes the expressions of the dashboard", () => {
    const rules = expressions.map((expr, i) => ({
      record: `dashboard:${i}`,
      expr: expr.replaceAll("$__rate_interval", "1m").replaceAll("$instance", ".*")
    }))
    // JSON is YAML.
    const directory = mkdtempSync(join(tmpdir(), "msrp-relay-"))
    try {
      const path = join(directory, "rules.yml")
      writeFileSync(path, JSON.stringify({ groups: [{ name: "all", rules }] }))
      const { code, output } = attemptPromtool(["check", "rules", path])
      assert.strictEqual(code, 0, output)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

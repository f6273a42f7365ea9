/** The benchmark of a crowd: what the relay costs, and how long it keeps others waiting, when there are very many. */
import { readFileSync } from "node:fs"
import { limitsIn } from "../../src/net/OpenFiles.ts"
import { deaf } from "./deaf.ts"
import { fan } from "./fan.ts"
import { growth } from "./growth.ts"
import { idle } from "./idle.ts"
import { quiet } from "./quiet.ts"
import type { Setting } from "./Stage.ts"
import { storm } from "./storm.ts"

export const crowdScenarios = { growth, quiet, storm, idle, fan, deaf } as const

export type CrowdScenario = keyof typeof crowdScenarios

export const isCrowdScenario = (name: string): name is CrowdScenario => name in crowdScenarios

export type CrowdResults = { [N in CrowdScenario]?: Awaited<ReturnType<(typeof crowdScenarios)[N]>> }

/** Connections of the largest scenario, and what a relay has open besides. */
const FILES = 10_200

/** Runs these scenarios, or all. */
export const crowd = async (setting: Setting, only: ReadonlyArray<CrowdScenario>): Promise<CrowdResults> => {
  const files = openFileLimit()
  if (files < FILES) setting.print(`Only ${files} open files are allowed; the largest scenarios need ${FILES}.`)
  const results: Record<string, ReadonlyArray<unknown>> = {}
  for (const [name, run] of Object.entries(crowdScenarios)) {
    if (only.length > 0 && !only.some((chosen) => chosen === name)) continue
    const start = performance.now()
    results[name] = await run(setting)
    setting.print(`(${((performance.now() - start) / 1000).toFixed(0)} s)`)
  }
  return results
}

const openFileLimit = (): number => {
  if (process.platform !== "linux") return Infinity
  return limitsIn(readFileSync("/proc/self/limits", "latin1"))?.hard ?? Infinity
}

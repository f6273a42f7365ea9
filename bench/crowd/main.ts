/** The benchmark of a crowd: the cost of the relay, and its delays, with very many clients. */
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

/** Descriptors for the connections of the largest scenario and for the other files of a relay. */
const FILES = 10_200

/** Runs the given scenarios; all if none are given. */
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

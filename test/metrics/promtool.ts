/** Prometheus' own tool, where the machine has it. */
import { spawnSync } from "node:child_process"

const installed = (command: string): boolean => spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0

/** Its command; absent where it is not installed. */
export const PROMTOOL: string | undefined = ["promtool"].find(installed)

/** Its exit code, and what it says. */
export const attemptPromtool = (
  args: ReadonlyArray<string>,
  input = "",
  cwd?: string
): { readonly code: number | null; readonly output: string } => {
  const { status, stderr, stdout } = spawnSync(PROMTOOL!, args, { input, cwd, encoding: "utf8" })
  return { code: status, output: stdout + stderr }
}

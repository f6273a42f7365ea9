/** The command line of a benchmark. Its usage is printed for `--help`, and after an invalid command line. */
import { parseArgs, type ParseArgsConfig } from "node:util"

/** The command line is invalid. */
export class UsageError extends Error {}

export const positive = (text: string, option: string): number => {
  const value = Number(text)
  if (!(value > 0 && value <= 3600)) {
    throw new UsageError(`--${option}: "${text}" is not a number above 0 and up to 3600`)
  }
  return value
}

/** Parses a count. */
export const whole = (text: string, option: string): number => {
  if (!/^[1-9][0-9]{0,6}$/.test(text)) {
    throw new UsageError(`--${option}: "${text}" is not a whole number from 1 to 9999999`)
  }
  return Number(text)
}

const isUsage = (error: unknown): error is Error =>
  error instanceof UsageError ||
  (error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS"))

/** Runs a benchmark with the options of the command line. */
export const run = async <const Config extends ParseArgsConfig>(
  usage: string,
  config: Config,
  main: (given: ReturnType<typeof parseArgs<Config>>) => Promise<void> | void
): Promise<void> => {
  if (process.argv.includes("--help")) return void process.stdout.write(usage)
  try {
    await main(parseArgs(config))
  } catch (error) {
    process.stderr.write(isUsage(error) ? `${error.message}\n\n${usage}` : `${(error as Error).stack}\n`)
    process.exitCode = 2
  }
}

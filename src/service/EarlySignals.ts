/** Handlers of signals while the program loads. Imports nothing, so that they are installed first. */

/** The parent process, read early because it may be gone when the program is loaded. */
export const PARENT = process.ppid

/** Signals that would end the process by default, although other programs use them for something else: reopening logs, counters, timers. */
export const IDLE = ["SIGHUP", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGIO", "SIGPWR"] as const

const ENDING = ["SIGINT", "SIGTERM", "SIGQUIT"] as const

export const nothing = (): void => {}

/** Exits at once, because nothing has started that would have to end in order. */
const end = (): void => process.exit(0)

/** Installs the handlers. Subcommands other than `start` keep the default action of signals, except for SIGUSR1. */
export const holdSignals = (subcommand: string | undefined): void => {
  // By default, SIGUSR1 makes Node open its debugger.
  process.on("SIGUSR1", nothing)
  if (subcommand !== undefined && subcommand !== "start") return
  for (const signal of IDLE) process.on(signal, nothing)
  // Process 1 of a container ignores signals that it has no handler for.
  for (const signal of ENDING) process.on(signal, end)
}

/** Removes the handlers of ending signals, which the service replaces by its own. */
export const releaseEnd = (): void => {
  for (const signal of ENDING) process.off(signal, end)
}

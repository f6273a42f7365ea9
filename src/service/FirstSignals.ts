/** What signals do while the program is loaded, and who has started it. Without imports, so that it is there first. */

/** Who started it: who may be gone by the time that the rest is loaded. */
export const PARENT = process.ppid

/** What would end the process at once, all sessions lost, and means something to other programs: logs anew, counters, a timer. */
export const IDLE = ["SIGHUP", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGIO", "SIGPWR"] as const

const ENDING = ["SIGINT", "SIGTERM", "SIGQUIT"] as const

export const nothing = (): void => {}

/** Nothing has begun that an order would be needed for. */
const end = (): void => process.exit(0)

/** From the first moment on, by the subcommand; a tool is ended by what ends others. */
export const holdSignals = (subcommand: string | undefined): void => {
  // With it Node opens its debugger to whoever connects, which nothing here has a use for.
  process.on("SIGUSR1", nothing)
  if (subcommand !== undefined && subcommand !== "start") return
  for (const signal of IDLE) process.on(signal, nothing)
  // Process 1 of a container is not ended by signals that it does not take.
  for (const signal of ENDING) process.on(signal, end)
}

/** Others see to the end from now on. */
export const releaseEnd = (): void => {
  for (const signal of ENDING) process.off(signal, end)
}

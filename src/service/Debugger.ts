/** Imported first: Node opens its debugger to whoever connects when it gets SIGUSR1, which a service has no use for. */
process.on("SIGUSR1", () => {})

/** The values of Failure-Report; absent means yes (RFC 4975 section 7.1). */
export const failureReports = [undefined, "yes", "partial", "no"] as const

/** Whether a request with this value is answered also when all is well. */
export const wantsAnswer = (failureReport: string | undefined) => failureReport === undefined || failureReport === "yes"

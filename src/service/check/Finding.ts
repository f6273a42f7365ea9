/** The findings of a check. */

export type Status =
  /** As it should be. */
  | "ok"
  /** The service works, but this is probably a mistake. */
  | "warning"
  /** The service would not work. */
  | "problem"
  /** Not checked. */
  | "skipped"

/** The names of the checks, in the order of the report. */
export const CHECKS = [
  "settings",
  "files",
  "certificates",
  "users",
  "listeners",
  "admin",
  "names",
  "descriptors",
  "backlog"
] as const

export type CheckName = (typeof CHECKS)[number]

/** One line of the report. Contains no secrets. */
export interface Finding {
  /** The name of the check, by its name in the JSON report. */
  readonly look: CheckName
  readonly status: Status
  /** The variable, path, socket or name that was checked; empty if the check has only one subject. */
  readonly subject: string
  readonly message: string
  /** What to do about it, if known. */
  readonly hint?: string | undefined
}

/** Makes the findings of one check. */
export const findingsOf = (look: CheckName) => {
  const make = (status: Status) => (subject: string, message: string, hint?: string): Finding =>
    hint === undefined ? { look, status, subject, message } : { look, status, subject, message, hint }
  return { ok: make("ok"), warning: make("warning"), problem: make("problem"), skipped: make("skipped") }
}

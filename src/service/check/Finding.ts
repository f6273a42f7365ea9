/** What a check has found. */

export type Status =
  /** As it should be. */
  | "ok"
  /** The service works, and yet this is most likely not meant. */
  | "warning"
  /** This would keep the service from working. */
  | "problem"
  /** It was not looked. */
  | "skipped"

/** What is looked at, in the order of the report. */
export const looks = [
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

export type LookName = (typeof looks)[number]

/** One line of the report. No secret is in it. */
export interface Finding {
  readonly look: LookName
  readonly status: Status
  /** What it is about: a variable, a path, a socket, a name; empty where the look has only one. */
  readonly subject: string
  readonly message: string
  /** What to do about it, if that can be told. */
  readonly hint?: string | undefined
}

/** Makes the findings of one look. */
export const findingsOf = (look: LookName) => {
  const make = (status: Status) => (subject: string, message: string, hint?: string): Finding =>
    hint === undefined ? { look, status, subject, message } : { look, status, subject, message, hint }
  return { ok: make("ok"), warning: make("warning"), problem: make("problem"), skipped: make("skipped") }
}

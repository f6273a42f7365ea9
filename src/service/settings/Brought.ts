/** What a program brings of its own, which its settings then need not say. */
import * as Context from "effect/Context"

export interface Brought {
  /** A transport, and whatever certificates that has. */
  readonly certificates: boolean
  /** Who may log in. */
  readonly users: boolean
}

export const Brought: Context.Reference<Brought> = Context.Reference("msrp-relay/service/Brought", {
  defaultValue: (): Brought => ({ certificates: false, users: false })
})

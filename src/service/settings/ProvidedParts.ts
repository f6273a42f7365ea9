/** The parts of the service that the program provides, which its settings need not configure. */
import * as Context from "effect/Context"

export interface ProvidedParts {
  /** Whether the program provides the transport, which then has its own certificates. */
  readonly certificates: boolean
  /** Whether the program provides `Credentials` or an `Authenticator`. */
  readonly users: boolean
}

export const ProvidedParts: Context.Reference<ProvidedParts> = Context.Reference("msrp-relay/service/ProvidedParts", {
  defaultValue: (): ProvidedParts => ({ certificates: false, users: false })
})

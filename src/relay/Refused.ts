/** Requests that go no further: each is counted by the status that it is answered with, and told to who listens. */
import { countRefused } from "./Counters.ts"
import type { HopFacts, RefusedRequest } from "./Observer.ts"
import type { SessionRecord } from "./SessionRecord.ts"
import type { Shared } from "./Shared.ts"

/** How a request ends that goes no further. */
export interface Ending {
  readonly status: number
  /** In words of the relay's own; absent where nothing is wrong. */
  readonly problem?: string | undefined
  /** Whose URI it names, if there is such a session. */
  readonly session?: SessionRecord | undefined
}

export const refused = ({ counters, observer }: Shared, hop: HopFacts, request: RefusedRequest): void => {
  countRefused(counters, request.status)
  observer.refused(hop, request)
}

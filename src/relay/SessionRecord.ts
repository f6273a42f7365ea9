/** What the relay records of a session: the user, what passed, and what failed. */
import { labelOf, sessionKey } from "../protocol/Ident.ts"
import type { Address, Connection, LocalSocket } from "../transport/Connection.ts"

/** The kinds of failures that are counted separately for one session; all others count as one kind. */
export const MAX_KINDS = 16

const OTHERS = "others"

/** What passed in one direction: SENDs (each chunk counts as one) and octets of their bodies. */
export interface Traffic {
  requests: number
  octets: number
}

/** The sender and the receiver of requests, as far as they have sessions at this relay. */
export interface Parties {
  /** The session whose owner sends the requests. */
  readonly sender: SessionRecord | undefined
  /** The session whose owner receives the requests. */
  readonly receiver: SessionRecord | undefined
}

/** The connection that a session was granted on. */
export interface GrantedOn {
  /** The number of the connection. */
  readonly number: number
  readonly remote: Address
  readonly secure: boolean
  readonly transport: Connection["transport"]
  /** The listener that accepted the connection; `undefined` if the relay has made it. */
  readonly socket: LocalSocket | undefined
}

/** The user of a session. */
interface Login {
  readonly user: string
  readonly realm: string
}

export class SessionRecord implements Login {
  /** The key of the session-id in a repository, and the beginning of that key, for logs. */
  readonly key: string
  readonly label: string
  readonly user: string
  readonly realm: string
  readonly on: GrantedOn
  /** Milliseconds of the monotonic clock when it was granted. */
  readonly since: number
  /** What the owner has sent, and what was sent to it. */
  readonly sent: Traffic = { requests: 0, octets: 0 }
  readonly received: Traffic = { requests: 0, octets: 0 }
  /** Whether a peer has written to the owner, which has been reported. */
  bound = false
  /** Messages from or to the owner that did not arrive or were cut off, and requests that were refused. */
  failures = 0
  #kinds: Map<string, number> | undefined

  constructor(id: string, { realm, user }: Login, on: GrantedOn, since: number) {
    this.key = sessionKey(id)
    this.label = labelOf(this.key)
    this.user = user
    this.realm = realm
    this.on = on
    this.since = since
  }

  /** Counts a failure. Returns whether it is the first of its kind. */
  failed(kind: string): boolean {
    this.failures++
    const kinds = this.#kinds ??= new Map()
    const known = kinds.has(kind) || kinds.size < MAX_KINDS ? kind : OTHERS
    const before = kinds.get(known) ?? 0
    kinds.set(known, before + 1)
    return before === 0
  }

  /** The number of failures of each kind; `undefined` if nothing has failed. */
  get kinds(): ReadonlyMap<string, number> | undefined {
    return this.#kinds
  }
}

/**
 * The parties of requests through one session, or through two when both parties are clients of this relay: then the owner of
 * the first is the sender, and that of the second the receiver. `fromOwner`: the owner of the first session sends them.
 */
export const partiesOf = (
  [first, second]: ReadonlyArray<{ readonly record: SessionRecord } | undefined>,
  fromOwner: boolean
): Parties =>
  fromOwner
    ? { sender: first?.record, receiver: second?.record }
    : { sender: undefined, receiver: first?.record }

/** What the relay keeps of a session beside what it is good for: whose it is, what passed, and what failed. */
import { labelOf, sessionKey } from "../protocol/Ident.ts"
import type { Address, Connection, LocalSocket } from "../transport/Connection.ts"

/** Kinds of failures that are told apart for one session; the others count as one. */
export const MAX_KINDS = 16

const OTHERS = "others"

/** What passed in one direction: SENDs (a chunk is one) and octets of their bodies. */
export interface Traffic {
  requests: number
  octets: number
}

/** Whose requests they are that a connection brings, as far as these have sessions at this relay. */
export interface Parties {
  /** The session whose owner sends them. */
  readonly sender: SessionRecord | undefined
  /** The session whose owner they are for. */
  readonly receiver: SessionRecord | undefined
}

/** The connection that a session was granted on. */
export interface GrantedOn {
  /** The connection's number. */
  readonly number: number
  readonly remote: Address
  readonly secure: boolean
  readonly transport: Connection["transport"]
  /** The listener that it came in on; none of one that the relay has made. */
  readonly socket: LocalSocket | undefined
}

/** Whose session it is. */
export interface Login {
  readonly user: string
  readonly realm: string
}

export class SessionRecord implements Login {
  /** What stands for the session-id in a repository, and its beginning in logs. */
  readonly key: string
  readonly label: string
  readonly user: string
  readonly realm: string
  readonly on: GrantedOn
  /** Milliseconds of the monotonic clock when it was granted. */
  readonly since: number
  /** From its owner, and to him. */
  readonly sent: Traffic = { requests: 0, octets: 0 }
  readonly received: Traffic = { requests: 0, octets: 0 }
  /** A peer has written to it, of which was told. */
  bound = false
  /** Messages from or to its owner that did not arrive or were cut off, and requests that were refused. */
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

  /** Something has failed; whether it is the first of its kind. */
  failed(kind: string): boolean {
    this.failures++
    const kinds = this.#kinds ??= new Map()
    const known = kinds.has(kind) || kinds.size < MAX_KINDS ? kind : OTHERS
    const before = kinds.get(known) ?? 0
    kinds.set(known, before + 1)
    return before === 0
  }

  /** How often each kind has happened; nothing when nothing has failed. */
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

/**
 * Hops by where they lead: one connection for each scheme, host and port, however many sessions use it and whichever side opened
 * it (RFC 4975 §5.4, RFC 4976 §6.4.2). A next hop that accepts only one session on a connection is found by `SessionHops`.
 */
import { LinkedMap } from "../../collections/LinkedMap.ts"
import { Tally } from "../../collections/Tally.ts"
import { authorityKey, canonicalHost, type MsrpUri, targetOf } from "../../protocol/Uri.ts"
import type { ConnectionFacts } from "../../transport/Connection.ts"
import { type Session, userOf } from "../Session.ts"
import type { SessionRecord } from "../SessionRecord.ts"
import type { Shared } from "../Shared.ts"
import { Lookups } from "./Lookups.ts"
import type { NextHops } from "./NextHops.ts"
import type { Party } from "./Party.ts"
import { cannotBeReached } from "./Reachability.ts"

/** Hosts and ports under which one connection may be known: a certificate for `*.` proves any number of names. */
const MAX_SHOWN = 16

/** Relays that are remembered to want a connection for each session, and those that are remembered to take several on one. */
const MAX_REMEMBERED = 1024

/** The sender of the requests that a connection is made for. Its own connection may be gone by then. */
interface DialSource {
  readonly connection: ConnectionFacts | undefined
}

/** A connection that is to be made. */
export interface Dial {
  readonly uri: MsrpUri
  /** Whether it leads to another relay, not to an endpoint. */
  readonly relay: boolean
  /** The host of the URI of this relay that the request goes through, whose certificate is shown. */
  readonly localName: string
  /** The sender of the request. */
  readonly source: DialSource
  /** The session of the user for whom it is dialled. */
  readonly session: SessionRecord
}

/** Why there is no hop: the request is refused with this. */
interface NoHop {
  readonly status: number
  /** Words of the relay, not of a peer. */
  readonly problem: string
  /** The next hop as `msrps://host:port`. */
  readonly target: string
}

/** What a next hop is: a relay is reached with more proof than an endpoint (RFC 4976 §9.2). */
export type NextHopKind = "relay" | "endpoint"

/** Where a request wants to go. */
export interface Wanted {
  readonly uri: MsrpUri
  readonly kind: NextHopKind
  /** The URI of this relay that the request goes through. */
  readonly own: MsrpUri
  /** The hop that the request came in on, or facts about it. */
  readonly source: DialSource
  /** The session of the user for whom it would be dialled. */
  readonly session: Session
}

/** What the directory needs done. */
export interface DirectoryOwner {
  /** Makes a hop and dials; `ended` is called when the connection is there or has failed. */
  dial(dial: Dial, ended: () => void): Party
  /** The number of the certificate that the relay shows under this name. */
  identity(localName: string): number
}

/** The user for whom a hop was dialled, and the address that the request came from. */
interface DialledFor {
  readonly user: string
  readonly address: string
}

export class Directory {
  readonly #shared: Shared
  readonly #nextHops: NextHops
  readonly #owner: DirectoryOwner
  /** By key; several where another relay has several connections, which replace each other (RFC 4976 §6.3). */
  readonly #hops = new Map<string, Set<Party>>()
  /** Dials in progress of each user. */
  readonly #dialling = new Tally<string>()
  readonly #lookups: Lookups
  /** Hops that were dialled for each user, and for the users of each address. */
  readonly #ofUser = new Tally<string>()
  readonly #ofAddress = new Tally<string>()
  /** The user and the address that each of these hops was dialled for. */
  readonly #dialledFor = new Map<Party, DialledFor>()
  /** Relays that want a connection for each session; the least recently used is forgotten first. */
  readonly #alone = new LinkedMap<string, true>()
  /** Relays that took several sessions on their last connection that is gone; the least recently used is forgotten first. */
  readonly #several = new LinkedMap<string, true>()

  constructor(shared: Shared, nextHops: NextHops, owner: DirectoryOwner) {
    this.#shared = shared
    this.#nextHops = nextHops
    this.#owner = owner
    this.#lookups = new Lookups(shared.limits)
  }

  /**
   * The hop to a URI, dialled for the user of the session if there is none, or why there is none. `takes` says whether the request
   * may use this existing hop to a relay.
   */
  hopFor(wanted: Wanted, takes: (hop: Party) => boolean): Party | NoHop {
    const { kind, own, uri } = wanted
    const relay = kind === "relay"
    const strict = this.#relayKey(uri, own)
    if (relay ? this.#alone.touch(strict) === true : this.#nextHops.wantsEachAlone(uri)) return this.dialAlone(wanted)
    const known = this.#alive(strict) ?? (relay ? undefined : this.#alive(endpointKey(uri)))
    if (known !== undefined) return !relay || takes(known) ? known : this.dialAlone(wanted)
    const hop = this.dialAlone(wanted)
    if (!("problem" in hop)) this.#add(relay ? strict : endpointKey(uri), hop)
    return hop
  }

  /** The relay refused a session on a connection that others use, and accepted it on its own connection. */
  wantsEachAlone({ own, uri }: Wanted): void {
    rememberIn(this.#alone, this.#relayKey(uri, own))
  }

  /** Dials a hop for this session only; or says why not. */
  dialAlone({ kind, own, session, source, uri }: Wanted): Party | NoHop {
    if (cannotBeReached(uri)) {
      return {
        status: 408,
        problem: "its receiver is not connected, and cannot be dialled",
        target: targetOf(uri)
      }
    }
    const { counters, turn } = this.#shared
    if (!this.#nextHops.admitsUri(uri)) {
      counters.dialsForbidden++
      return { status: 403, problem: "connections to the next hop are forbidden", target: targetOf(uri) }
    }
    // Counted for the user and not for the connection, which users of a relay share.
    const wantedBy = { user: userOf(session), address: this.#shared.networkOf(source.connection?.remote.host ?? "") }
    if (
      !this.#mayDial(wantedBy) || (uri.port === undefined && !this.#lookups.admits(wantedBy.user, turn.now))
    ) {
      counters.dialsOverLimit++
      return { status: 408, problem: "the user has too many next hops", target: targetOf(uri) }
    }
    const relay = kind === "relay"
    const hop = this.#dial({ uri, relay, localName: own.host, source, session: session.record }, wantedBy)
    if (!relay) hop.outbound.load.countsFor(() => this.#shared.outputs.ofUser(session))
    return hop
  }

  #mayDial({ address, user }: DialledFor): boolean {
    const { dials, nextHopsPerAddress, nextHopsPerUser } = this.#shared.limits
    return this.#dialling.of(user) < dials && this.#ofUser.of(user) < nextHopsPerUser &&
      this.#ofAddress.of(address) < nextHopsPerAddress
  }

  #dial(dial: Dial, wantedBy: DialledFor): Party {
    const { address, user } = wantedBy
    this.#dialling.more(user)
    const hop = this.#owner.dial(dial, () => this.#dialling.less(user))
    this.#ofUser.more(user)
    this.#ofAddress.more(address)
    this.#dialledFor.set(hop, wantedBy)
    return hop
  }

  /** A relay has connected to `own` and shown its URI: it need not be dialled. */
  shown(uri: MsrpUri, hop: Party, own: MsrpUri): void {
    if (uri.port !== undefined && hop.keys.length < MAX_SHOWN) this.#add(this.#relayKey(uri, own), hop)
  }

  forget(hop: Party): void {
    const wantedBy = this.#dialledFor.get(hop)
    if (wantedBy !== undefined) {
      this.#dialledFor.delete(hop)
      this.#ofUser.less(wantedBy.user)
      this.#ofAddress.less(wantedBy.address)
    }
    const { several } = hop.routes
    for (const key of hop.keys) {
      if (several === true) rememberIn(this.#several, key)
      else if (several === false) this.#several.delete(key)
      const hops = this.#hops.get(key)
      hops?.delete(hop)
      if (hops?.size === 0) this.#hops.delete(key)
    }
    hop.keys.length = 0
  }

  #alive(key: string): Party | undefined {
    for (const hop of this.#hops.get(key) ?? []) if (hop.open) return hop
    return undefined
  }

  /**
   * Other relays check the certificate of this one on each connection (RFC 4976 §6.3), so with several certificates there is a
   * connection for each.
   */
  #relayKey(uri: MsrpUri, own: MsrpUri): string {
    return `relay ${this.#owner.identity(canonicalHost(own.host))} ${uri.scheme} ${authorityKey(uri)}`
  }

  #add(key: string, hop: Party): void {
    const hops = this.#hops.get(key)
    if (hops?.has(hop) === true) return
    if (this.#several.touch(key) === true) hop.routes.tookSeveral = true
    if (hops === undefined) this.#hops.set(key, new Set([hop]))
    else hops.add(hop)
    hop.keys.push(key)
  }
}

const rememberIn = (relays: LinkedMap<string, true>, key: string): void => {
  relays.set(key, true)
  relays.shorten(MAX_REMEMBERED)
}

/** Apart from the key of a relay, because an endpoint is reached with less proof. */
const endpointKey = (uri: MsrpUri): string => `endpoint ${uri.scheme} ${authorityKey(uri)}`

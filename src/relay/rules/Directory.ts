/**
 * Hops by where they lead: one connection for each scheme, host and port, however many sessions use it and whoever
 * opened it (RFC 4975 §5.4, RFC 4976 §6.4.2). Who can take but one session on a connection is found by `Ways`.
 */
import { LinkedMap } from "../../collections/LinkedMap.ts"
import { authorityKey, canonicalHost, type MsrpUri, targetOf } from "../../protocol/Uri.ts"
import type { ConnectionFacts } from "../../transport/Connection.ts"
import { type Session, userOf } from "../Session.ts"
import type { SessionRecord } from "../SessionRecord.ts"
import type { Shared } from "../Shared.ts"
import { Lookups } from "./Lookups.ts"
import type { NextHops } from "./NextHops.ts"
import type { Party } from "./Party.ts"
import { Tally } from "./Tally.ts"

/** Names and ports under which one relay may be known: a certificate for `*.` proves any number of them. */
const MAX_SHOWN = 16

/** Relays of which is remembered that they want a connection for each session. */
const MAX_ALONE = 1024

/** For whose requests a connection is made; it may be gone by then. */
export interface Asker {
  readonly connection: ConnectionFacts | undefined
}

/** A connection that is to be made. */
export interface Dial {
  readonly uri: MsrpUri
  /** What is behind it is another relay, not an endpoint. */
  readonly relay: boolean
  /** The host of the URI of this relay that the request goes through: the name to connect as. */
  readonly localName: string
  /** Who wants it. */
  readonly source: Asker
  /** The session for whose user it is dialled. */
  readonly session: SessionRecord
}

/** Why there is no hop: what a request is refused with that wants to go there. */
export interface NoHop {
  readonly status: number
  /** In words of the relay's own. */
  readonly problem: string
  /** Where to: `msrps://host:port`. */
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
  /** Who sends it. */
  readonly source: Asker
  /** The session for whose user it would be dialled. */
  readonly session: Session
}

/** What the directory needs done. */
export interface DirectoryOwner {
  /** Makes a hop, and a connection for it; `ended` is called when that is there, or cannot be made. */
  dial(dial: Dial, ended: () => void): Party
  /** Which of the own certificates is shown as this name. */
  identity(localName: string): number
}

/** For whom a hop was dialled. */
interface DialledFor {
  readonly user: string
  readonly address: string
}

export class Directory {
  readonly #shared: Shared
  readonly #nextHops: NextHops
  readonly #owner: DirectoryOwner
  /** More than one where another relay has several connections: when one closes, the next takes its place (RFC 4976 §6.3). */
  readonly #hops = new Map<string, Set<Party>>()
  /** Dials in progress of each user. */
  readonly #dialling = new Tally()
  readonly #lookups: Lookups
  /** Hops that were dialled for each user, and for those of each address, and for whom each of them was. */
  readonly #ofUser = new Tally()
  readonly #ofAddress = new Tally()
  readonly #dialledFor = new Map<Party, DialledFor>()
  /** Relays that want a connection for each session; the one used least recently is forgotten first. */
  readonly #alone = new LinkedMap<string, true>()

  constructor(shared: Shared, nextHops: NextHops, owner: DirectoryOwner) {
    this.#shared = shared
    this.#nextHops = nextHops
    this.#owner = owner
    this.#lookups = new Lookups(shared.limits)
  }

  /**
   * The hop to a URI, dialled for the user of the session if there is none, or why there is none. `takes`: may the request take
   * this hop, which leads to a relay and is there already.
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

  /** The relay has refused a session on a connection that others use, and accepted it on one of its own. */
  wantsEachAlone({ own, uri }: Wanted): void {
    this.#alone.set(this.#relayKey(uri, own), true)
    if (this.#alone.size > MAX_ALONE) this.#alone.delete(this.#alone.first!.key)
  }

  /** A hop that is for this session only, or why there is none. */
  dialAlone({ kind, own, session, source, uri }: Wanted): Party | NoHop {
    if (cannotBeReached(uri)) {
      return {
        status: 408,
        problem: "its receiver can only connect himself, and is not connected",
        target: targetOf(uri)
      }
    }
    const { counters, turn } = this.#shared
    if (!this.#nextHops.admitsUri(uri)) {
      counters.dialsForbidden++
      return { status: 403, problem: "the next hop is one that nobody may be connected to", target: targetOf(uri) }
    }
    // Whatever connection it asks on, and whoever else shares that of a relay.
    const wantedBy = { user: userOf(session), address: this.#shared.networkOf(source.connection?.remote.host ?? "") }
    if (
      !this.#mayDial(wantedBy) || (uri.port === undefined && !this.#lookups.admits(wantedBy.user, turn.now))
    ) {
      counters.dialsOverLimit++
      return { status: 408, problem: "the user has as many next hops as he may", target: targetOf(uri) }
    }
    return this.#dial({ uri, relay: kind === "relay", localName: own.host, source, session: session.record }, wantedBy)
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

  /** A relay has connected in, to `own`, and shown where it can be reached: it need not be dialled. */
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
    for (const key of hop.keys) {
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
   * Relays check who they talk to, by the certificate of the connection (RFC 4976 §6.3): where this relay has several,
   * it needs a connection for each.
   */
  #relayKey(uri: MsrpUri, own: MsrpUri): string {
    return `relay ${this.#owner.identity(canonicalHost(own.host))} ${uri.scheme} ${authorityKey(uri)}`
  }

  #add(key: string, hop: Party): void {
    const hops = this.#hops.get(key)
    if (hops?.has(hop) === true) return
    if (hops === undefined) this.#hops.set(key, new Set([hop]))
    else hops.add(hop)
    hop.keys.push(key)
  }
}

/** A host that never has an address, or the port of those who will connect themselves (RFC 6761 §6.4, RFC 6135 §4.2.2). */
export const cannotBeReached = ({ host, port }: MsrpUri): boolean => port === 9 || /(^|\.)invalid\.?$/i.test(host)

/** An endpoint may be reached with less proof than a relay, so what is known for one is not good for the other. */
const endpointKey = (uri: MsrpUri): string => `endpoint ${uri.scheme} ${authorityKey(uri)}`

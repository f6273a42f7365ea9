/**
 * Who may send what through which URI (RFC 4976 §6.2 to §6.4). Decided once for each pair of paths on a connection.
 *
 * A request is only ever forwarded through a session URI that this relay handed out and that is still valid. Its owner
 * may send to anybody; anybody else may send to its owner, and nowhere else.
 */
import { type Head, Kind } from "../../protocol/Head.ts"
import { authorityKey, type MsrpUri, parsePath, sameUri } from "../../protocol/Uri.ts"
import { ConnectionFacts } from "../../transport/Connection.ts"
import type { Paces } from "../route/Pace.ts"
import { MAX_RETRY_BUFFERS, RetryBuffer } from "../route/RetryBuffer.ts"
import type { Route } from "../route/Route.ts"
import { type UserLoad, UserLoads } from "../route/UserLoad.ts"
import { extend, type Session, type Sessions } from "../Session.ts"
import { partiesOf } from "../SessionRecord.ts"
import type { Shared } from "../Shared.ts"
import { type Decision, refuse, TOO_LONG } from "./Decision.ts"
import type { Directory } from "./Directory.ts"
import { OwnUris } from "./OwnUris.ts"
import type { Party } from "./Party.ts"
import type { Peers } from "./Peers.ts"
import { RelayOwner, type RelayOwners } from "./RelayOwners.ts"
import { returnTo } from "./Return.ts"
import { type RouteSpec, routeTo } from "./RouteTo.ts"
import { OnSharedLink } from "./SharedLink.ts"
import { cameBy, lacksTls, ledTo, mayTake, onlyConnects, wayTo, wentBy } from "./Ways.ts"

/** Authorities that the owner of a session may show, as clients behind rewriting middleboxes do. */
const MAX_OWNER_AUTHORITIES = 4

export interface RouterOptions {
  readonly shared: Shared
  readonly sessions: Sessions
  /** Other relays that have sessions here. */
  readonly relays: RelayOwners
  /** Which are admitted. */
  readonly peers: Peers
  /** The relay's own URIs, without session-id. */
  readonly uris: ReadonlyArray<MsrpUri>
  /** What Use-Path is made of, where that differs: session URIs come back with it. */
  readonly usePath: ReadonlyArray<MsrpUri>
  readonly directory: Directory
  readonly paces: Paces
}

export class Router {
  readonly #options: RouterOptions
  readonly #own: OwnUris
  readonly #users: UserLoads

  constructor(options: RouterOptions) {
    this.#options = options
    this.#users = new UserLoads(options.shared.limits)
    this.#own = new OwnUris(options.uris, options.usePath)
  }

  /** What the relay is called on a connection with or without TLS. */
  ownUri(secure: boolean): MsrpUri | undefined {
    return this.#own.on(secure)
  }

  /** `isLong`: it is a long chunk, of which only the beginning is here. */
  decide(head: Head, hop: Party, isLong: boolean): Decision {
    // Its sender may come again, to another relay of the domain or when this one runs anew.
    const { directory, shared } = this.#options
    if (shared.phase === "stopping") return refuse(408, "the relay stops")
    const { pathUris } = shared.codec.limits
    const to = parsePath(head.toPath, pathUris)
    const from = parsePath(head.fromPath, pathUris)
    if (to === undefined || from === undefined) return refuse(400, "a path that is none")
    const first = to[0]!
    const fromRelay = hop.isRelay(from[0]!)
    if (fromRelay) directory.shown(from[0]!, hop, first)
    // A connection that many sessions of another relay share is not closed for one bad request.
    if (!this.#own.has(first)) return fromRelay ? refuse(481, "for another relay") : { _tag: "Foreign" }
    if (first.sessionId === undefined) return this.#bare(head, hop, to, from)
    if (first.port === undefined || (head.kind !== Kind.Auth && [...to, from[0]!].some(lacksPort))) {
      return refuse(400, "a URI without a port")
    }

    const session = this.#session(first)
    if (session === undefined) return refuse(481, "there is no such session, or it is over")
    if (lacksTls(first, hop)) {
      return refuse(403, "the session is one for connections with TLS", partiesOf([session], false))
    }
    const { owner } = session
    const fromOwner = owner instanceof RelayOwner ? fromRelay && owner.isWayOf(session, from[0]!) : owner === hop
    if (fromRelay && owner instanceof RelayOwner && owner.is(from[0]!.host)) this.#options.relays.linked(owner, hop)
    const user = this.#users.of(session, fromOwner)
    const elsewhere = fromRelay ? this.#elsewhere(session, from[0]!, first, hop) : undefined
    const { paces } = this.#options
    const request: Request = { head, hop, to, from, fromOwner, fromRelay, elsewhere, paces, user, isLong }
    if (to.length === 1) return endsHere(head, session, fromOwner, shared.turn.now)
    // The next relay would not read it to its end.
    const own = this.#own.has(to[1]!) ? to.slice(0, 2) : to.slice(0, 1)
    if (fromLine([...own, ...from]) > shared.codec.limits.headerLine) return TOO_LONG
    // What comes from here does not come in, but from another relay of the same name.
    if (!fromOwner && !fromRelay && this.#own.has(from[0]!)) {
      return refuse(403, "a request that says it comes from this relay", partiesOf([session], false))
    }
    const decision = fromOwner ? this.#fromOwner(session, request) : this.#toOwner([session], to, request)
    if (fromRelay && decision._tag === "Route") cameBy(session, from[0]!, hop)
    return decision
  }

  #bare(head: Head, hop: Party, to: ReadonlyArray<MsrpUri>, from: ReadonlyArray<MsrpUri>): Decision {
    const first = to[0]!
    if (head.kind !== Kind.Auth) return refuse(481, "no session-id in its To-Path")
    // AUTH for a relay further on goes through a session URI, never through the bare name (RFC 4976 §5.1).
    if (to.length > 1) return refuse(403, "an AUTH for another relay without a session at this one")
    const own = this.#own.meant(first)
    if (own === undefined) return { _tag: "Foreign" }
    const named = this.#own.reachable(own)
    return lacksTls(first, hop)
      ? refuse(403, "the URI is one for connections with TLS")
      : { _tag: "Authenticate", own, named, target: first, from }
  }

  #session(uri: MsrpUri): Session | undefined {
    const session = uri.sessionId === undefined ? undefined : this.#options.sessions.findUnsafe(uri.sessionId)
    return session !== undefined && sameUri(session.uri, uri) ? session : undefined
  }

  /** It keeps what is known of the connection, and not the hop, which may be gone by then. */
  #elsewhere(session: Session, uri: MsrpUri, own: MsrpUri, { connection }: Party): () => Party | undefined {
    const source = { connection: connection && new ConnectionFacts(connection) }
    return returnTo(session, { uri, relay: true, own, source, session }, this.#options)
  }

  /** The owner may send to anybody (RFC 4976 §6.4). */
  #fromOwner(session: Session, request: Request): Decision {
    const { from, fromRelay, head, to } = request
    // Nobody but a relay may stand between a client and this relay (RFC 4976 §6.3).
    if (head.kind === Kind.Auth && from.length > 1 && !fromRelay) {
      return refuse(403, "an AUTH from behind somebody who is not known as a relay", partiesOf([session], true))
    }
    const authority = authorityKey(from[0]!)
    const known = session.ownerAuthorities
    if (!known.includes(authority) && known.length < MAX_OWNER_AUTHORITIES) known.push(authority)

    const next = to[1]!
    if (this.#own.has(next)) {
      // Both parties are clients here: its second URI is checked as if the first had been another relay's.
      const other = this.#session(next)
      const parties = partiesOf([session], true)
      if (other === undefined) return refuse(481, "there is no such session of the receiver, or it is over", parties)
      return other === session
        ? refuse(403, "the session is its own receiver", parties)
        : this.#toOwner([session, other], to.slice(1), request)
    }
    const { peer } = session
    const isAuth = head.kind === Kind.Auth
    const relay = isAuth || to.length > 2
    // Who is proved to be a relay is no peer: what is for one would go to whoever calls himself that (RFC 4976 §9.2).
    const isOfRelay = relay && !onlyConnects(next) && this.#options.peers.admits(next)
    const proves = isAuth || isOfRelay || wayTo(session, next, relay) !== undefined
    if (!proves && peer !== undefined && mayTake(peer.connection as Party, peer.uri, next)) {
      return forward([session], peer.connection as Party, request)
    }
    return this.#dial([session], to, relay, request)
  }

  /** To the hop that the second URI leads to; with a connection that is made for it, unless there is one. */
  #dial(
    sessions: readonly [Session, Session?],
    path: ReadonlyArray<MsrpUri>,
    relay: boolean,
    request: Request
  ): Decision {
    const [own, uri] = [path[0]!, path[1]!]
    const session = sessions[1] ?? sessions[0]
    const parties = partiesOf(sessions, request.fromOwner)
    if (uri.transport.toLowerCase() !== "tcp") {
      return refuse(481, "its receiver can only connect himself, and is not connected", parties)
    }
    // Another relay is never reached without TLS, whoever names it (RFC 4976 §9.2).
    if (uri.scheme === "msrp" && relay) return refuse(403, "another relay without TLS", parties)
    const { directory, relays } = this.#options
    const way = wayTo(session, uri, relay)
    if (way !== undefined) {
      relays.leads(way, session, uri)
      return forward(sessions, way, request)
    }
    const wanted = { uri, source: request.hop, session: sessions[0], relay, own }
    const target = directory.hopFor(wanted, (hop) => !request.isLong || mayBegin(session, hop))
    if ("problem" in target) return refuse(target.status, target.problem, parties, target.target)
    relays.leads(target, session, uri)
    const route = forward(sessions, target, request)
    wentBy(session, uri, target, relay)
    if (!relay) return route
    // A long chunk is too long to be kept, and on a connection that takes several sessions there is no need for a copy.
    const counts = [target.routes, request.user] as const
    if (!request.isLong && !target.routes.takesSeveral && counts.every((one) => one.retryBuffers < MAX_RETRY_BUFFERS)) {
      const spec = specOf(sessions, request)
      const policy = new OnSharedLink({ directory, relays, wanted, session, target, spec })
      route.back.retry = new RetryBuffer(route, policy, counts)
    }
    return route
  }

  /**
   * Anybody may send to the owner, and nowhere else: the next URI must be the owner's. A direct client is the end of its
   * path; one connection at a time may write to a session, unless it is that of a relay (RFC 4975 §5.4, RFC 4976 §6.4), or
   * one that the owner was led to: who has connected in must not shut out whom it was made to.
   */
  #toOwner(sessions: readonly [Session, Session?], path: ReadonlyArray<MsrpUri>, request: Request): Decision {
    const { from, fromRelay, head, hop } = request
    const session = sessions[1] ?? sessions[0]
    const parties = partiesOf(sessions, request.fromOwner)
    const next = path[1]
    if (next === undefined || !session.ownerAuthorities.includes(authorityKey(next))) {
      return refuse(403, "its To-Path does not lead to the owner of the session", parties)
    }
    const { owner, peer } = session
    const behindRelay = owner instanceof RelayOwner
    if (path.length > 2 && !behindRelay) {
      return refuse(403, "its To-Path leads on behind the owner of the session", parties)
    }
    const hasOther = peer !== undefined && peer.connection !== hop && (peer.connection as Party).open
    if (hasOther && !fromRelay && !ledTo(session, hop)) {
      return refuse(506, "the session has a peer on another connection", parties)
    }
    const decision = behindRelay
      ? this.#dial(sessions, path, true, request)
      : forward(sessions, owner as Party, request)
    // The latest URI it shows: a chat switch joins with one and may speak with another.
    if (decision._tag === "Route" && !fromRelay && head.kind !== Kind.Report) {
      if (!hasOther) session.peer = { connection: hop, uri: from[0]! }
      hop.sessions.isPeerOf(session)
      if (!session.record.bound) {
        session.record.bound = true
        this.#options.shared.observer.bound(hop, session.record)
      }
    }
    return decision
  }
}

interface Request {
  readonly head: Head
  readonly hop: Party
  readonly to: ReadonlyArray<MsrpUri>
  readonly from: ReadonlyArray<MsrpUri>
  /** It comes from the relay that its first From-Path URI names, which the certificate of the connection proves. */
  readonly fromRelay: boolean
  /** Where that is told of it when the connection is gone. */
  readonly elsewhere: (() => Party | undefined) | undefined
  /** It comes from the owner of the first session, not to him. */
  readonly fromOwner: boolean
  readonly paces: Paces
  readonly user: UserLoad
  /** A long chunk, which is passed on while it comes. */
  readonly isLong: boolean
}

const specOf = (
  sessions: readonly [Session, Session?],
  { elsewhere, from, fromOwner, fromRelay, head: { kind }, hop, paces, to, user }: Request
): RouteSpec => {
  const used = sessions.filter((session) => session !== undefined)
  return { source: hop, sessions: used, to, from, fromOwner, fromRelay, elsewhere, paces, kind, user }
}

const forward = (sessions: readonly [Session, Session?], target: Party, request: Request): Route =>
  routeTo(target, specOf(sessions, request))

/** Octets of a From-Path line. */
const fromLine = (path: ReadonlyArray<MsrpUri>): number =>
  path.reduce((octets, { text }) => octets + 1 + text.length, "From-Path:\r\n".length)

/** May a first request go there that is too long to be sent again: others use it, and it may be that no second one can. */
const mayBegin = (session: Session, { routes, shared }: Party): boolean =>
  routes.takesSeveral || !routes.anyWithout([session], shared.turn.now)

const endsHere = (head: Head, session: Session, fromOwner: boolean, now: number): Decision => {
  const { kind } = head
  const here = (status: number, problem: string): Decision => ({
    _tag: "Here",
    status,
    problem,
    parties: partiesOf([session], fromOwner)
  })
  if (kind === Kind.Auth) return here(403, "an AUTH that goes no further than this relay, through a session")
  if (kind !== Kind.Send) return here(501, "a request that is for the relay")
  if (!fromOwner || head.hasBody) return here(403, "a message that is for the relay")
  // A keep-alive of the owner: nothing passes, and yet the session is in use.
  extend(session, now)
  return { _tag: "Here", status: 200 }
}

/**
 * Only an AUTH may leave the port out (RFC 4976 §8). Whom a connection leads to that he has made himself, as by WebSocket,
 * is not looked for by his port (RFC 7977 §8.3.2).
 */
const lacksPort = (uri: MsrpUri): boolean => uri.port === undefined && uri.transport.toLowerCase() === "tcp"

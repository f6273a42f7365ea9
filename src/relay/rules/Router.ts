/**
 * Who may send what through which URI (RFC 4976 §6.2 to §6.4). Decided once for each pair of paths on a connection.
 *
 * A request is forwarded only through a session URI that this relay handed out and that is still valid. The owner of the
 * session may send to anybody; anybody else may send only to the owner.
 */
import { type Head, Kind } from "../../protocol/Head.ts"
import { authorityKey, type MsrpUri, parsePath, sameUri } from "../../protocol/Uri.ts"
import { ConnectionFacts } from "../../transport/Connection.ts"
import type { Paces } from "../route/Pace.ts"
import { UserLoads } from "../route/UserLoad.ts"
import type { Session, Sessions } from "../Session.ts"
import { partiesOf } from "../SessionRecord.ts"
import type { Shared } from "../Shared.ts"
import { type Answered, type Decision, foreign, refuse, TOO_LONG } from "./Decision.ts"
import type { Directory } from "./Directory.ts"
import { OwnUris } from "./OwnUris.ts"
import { countsForAddress, type Party, peerOf } from "./Party.ts"
import { endsHere } from "./PathEnd.ts"
import type { Peers } from "./Peers.ts"
import { lacksPort, lacksTls, mayTake, onlyConnects } from "./Reachability.ts"
import { ownerOf, RelayOwner, type RelayOwners } from "./RelayOwners.ts"
import { reportHopFor } from "./ReportHop.ts"
import { cameBy, hasSentOn, knownHop } from "./SessionHops.ts"
import { type Request, Targets, type Through } from "./Targets.ts"

/** Authorities that the owner of a session may use in From-Path: middleboxes rewrite them (RFC 6714). */
const MAX_OWNER_AUTHORITIES = 4

interface RouterOptions {
  readonly shared: Shared
  readonly sessions: Sessions
  /** Other relays that own sessions here. */
  readonly relays: RelayOwners
  /** Which relays are admitted. */
  readonly peers: Peers
  /** The relay's own URIs, without session-id. */
  readonly uris: ReadonlyArray<MsrpUri>
  /** The URIs that Use-Path is made of where they differ from `uris`: requests come back with them. */
  readonly usePath: ReadonlyArray<MsrpUri>
  readonly directory: Directory
  readonly paces: Paces
}

export class Router {
  readonly #options: RouterOptions
  readonly #own: OwnUris
  readonly #users: UserLoads
  readonly #targets: Targets

  constructor(options: RouterOptions) {
    this.#options = options
    this.#users = new UserLoads(options.shared.limits)
    this.#own = new OwnUris(options.uris, options.usePath)
    this.#targets = new Targets(options)
  }

  /** The relay's own URI for a connection with or without TLS. */
  ownUri(secure: boolean): MsrpUri | undefined {
    return this.#own.on(secure)
  }

  /** `isLong`: whether it is a long chunk, of which only the beginning is here. */
  decide(head: Head, hop: Party, isLong: boolean): Decision {
    const { shared } = this.#options
    // 408: the sender may try again, at another relay of the domain or once this one has restarted.
    if (shared.phase === "stopping") return refuse(408, "the relay stops")
    const { pathUris } = shared.codec.limits
    const to = parsePath(head.toPath, pathUris)
    const from = parsePath(head.fromPath, pathUris)
    if (to === undefined || from === undefined) return refuse(400, "a malformed path")
    const first = to[0]!
    const fromRelay = hop.isRelay(from[0]!)
    if (fromRelay) this.#noteRelay(hop, from[0]!, first)
    // One bad request does not close a connection that many sessions of another relay share.
    if (!this.#own.has(first)) return fromRelay ? refuse(481, "for another relay") : foreign(head, to)
    if (first.sessionId === undefined) return this.#withoutSession(head, hop, to, from)
    const session = this.#sessionFor(head, hop, to, from)
    if ("_tag" in session) return session
    if (fromRelay) this.#options.relays.leads(hop, session, from[0]!)
    const fromOwner = isFromOwner(session, hop, from[0]!, fromRelay)
    if (to.length === 1) return endsHere(head, session, fromOwner, shared.turn.now)
    if (this.#isTooLong(to, from)) return TOO_LONG
    const user = this.#users.of(session, fromOwner)
    const reportHop = fromRelay ? this.#reportHop(session, from[0]!, first, hop) : undefined
    const { kind } = head
    return this.#through(session, { source: hop, to, from, fromOwner, fromRelay, reportHop, kind, user, isLong })
  }

  /** The peer has proved to be the relay of this URI. */
  #noteRelay(hop: Party, uri: MsrpUri, own: MsrpUri): void {
    const { directory, shared: { outputs } } = this.#options
    directory.shown(uri, hop, own)
    hop.outbound.load.countsFor(() => outputs.ofRelay(hop.connection?.peerNames[0] ?? uri.host))
  }

  /** A request whose To-Path begins with the relay's bare URI: only an AUTH for this relay is accepted. */
  #withoutSession(head: Head, hop: Party, to: ReadonlyArray<MsrpUri>, from: ReadonlyArray<MsrpUri>): Decision {
    const first = to[0]!
    if (head.kind !== Kind.Auth) return refuse(481, "no session-id in its To-Path")
    // AUTH for a relay further on goes through a session URI, never through the bare name (RFC 4976 §5.1).
    if (to.length > 1) return refuse(403, "an AUTH for another relay without a session at this one")
    const own = this.#own.meant(first)
    if (own === undefined) return foreign(head, to)
    const named = this.#own.reachable(own)
    return lacksTls(first, hop)
      ? refuse(403, "the URI is one for connections with TLS")
      : { _tag: "Authenticate", own, named, target: first, from }
  }

  /** The session that the request goes through, or why it may not. */
  #sessionFor(head: Head, hop: Party, to: ReadonlyArray<MsrpUri>, from: ReadonlyArray<MsrpUri>): Session | Answered {
    const first = to[0]!
    if (first.port === undefined || (head.kind !== Kind.Auth && [...to, from[0]!].some(lacksPort))) {
      return refuse(400, "a URI without a port")
    }
    const session = this.#session(first)
    if (session === undefined) return refuse(481, "there is no such session, or it is over")
    // Each URI is about its own hop: whom the session reaches by msrp sends on that connection (RFC 4975 §5.4), but no AUTH.
    return lacksTls(first, hop) && (head.kind === Kind.Auth || !hasSentOn(session, hop))
      ? refuse(403, "the session is one for connections with TLS", partiesOf([session], false))
      : session
  }

  #session(uri: MsrpUri): Session | undefined {
    const session = uri.sessionId === undefined ? undefined : this.#options.sessions.findUnsafe(uri.sessionId)
    return session !== undefined && sameUri(session.uri, uri) ? session : undefined
  }

  /** Whether the next relay would not read its From-Path line to the end. */
  #isTooLong(to: ReadonlyArray<MsrpUri>, from: ReadonlyArray<MsrpUri>): boolean {
    const own = this.#own.has(to[1]!) ? to.slice(0, 2) : to.slice(0, 1)
    return fromLine([...own, ...from]) > this.#options.shared.codec.limits.headerLine
  }

  /** Where the sender learns of failures after its connection has closed. Keeps facts about the hop, and not the hop. */
  #reportHop(session: Session, uri: MsrpUri, own: MsrpUri, { connection }: Party): () => Party | undefined {
    const source = { connection: connection && new ConnectionFacts(connection) }
    return reportHopFor(session, { uri, kind: "relay", own, source, session }, this.#options)
  }

  #through(session: Session, request: Request): Decision {
    const { from, fromOwner, fromRelay, source, to } = request
    // A From-Path with a URI of this relay came from another relay of the same name, or is made up.
    if (!fromOwner && !fromRelay && this.#own.has(from[0]!)) {
      return refuse(403, "a request that says it comes from this relay", partiesOf([session], false))
    }
    const decision = fromOwner ? this.#fromOwner(session, request) : this.#toOwner([session], to, request)
    if (fromRelay && decision._tag === "Route") cameBy(session, from[0]!, source)
    return decision
  }

  /** The owner may send to anybody (RFC 4976 §6.4). */
  #fromOwner(session: Session, request: Request): Decision {
    const { from, fromRelay, kind, to } = request
    // Only a relay may stand between a client and this relay (RFC 4976 §6.3).
    if (kind === Kind.Auth && from.length > 1 && !fromRelay) {
      return refuse(403, "an AUTH through a peer that is not an admitted relay", partiesOf([session], true))
    }
    const authority = authorityKey(from[0]!)
    const known = session.ownerAuthorities
    if (!known.includes(authority) && known.length < MAX_OWNER_AUTHORITIES) known.push(authority)
    return this.#own.has(to[1]!) ? this.#toOtherClient(session, request) : this.#toNextHop(session, request)
  }

  /** Both parties are clients of this relay: the second URI is checked as if the first had been that of another relay. */
  #toOtherClient(session: Session, request: Request): Decision {
    const { to } = request
    const other = this.#session(to[1]!)
    const parties = partiesOf([session], true)
    if (other === undefined) return refuse(481, "there is no such session of the receiver, or it is over", parties)
    return other === session
      ? refuse(403, "the session is its own receiver", parties)
      : this.#toOwner([session, other], to.slice(1), request)
  }

  #toNextHop(session: Session, request: Request): Decision {
    const { kind, to } = request
    const next = to[1]!
    const isAuth = kind === Kind.Auth
    const leadsTo = isAuth || to.length > 2 ? "relay" : "endpoint"
    const { peer } = session
    const hop = peerOf(session)
    if (peer !== undefined && hop !== undefined && mayTake(hop, peer.uri, next)) {
      // What is meant for a proven relay does not go to a peer that merely claims its URI (RFC 4976 §9.2).
      const isOfRelay = leadsTo === "relay" && !onlyConnects(next) && this.#options.peers.admits(next)
      const needsRelay = isAuth || isOfRelay || knownHop(session, next, leadsTo) !== undefined
      if (!needsRelay) return this.#targets.forward([session], hop, request)
    }
    return this.#targets.reach([session], to, leadsTo, request)
  }

  /**
   * Anybody may send to the owner, and nowhere else: the next URI must be the owner's. A direct client is the end of its
   * path. Only one connection at a time may write to a session (RFC 4975 §5.4, RFC 4976 §6.4), except that of a relay, and one
   * to which requests of the session were led: a peer that connected in must not shut that out.
   */
  #toOwner(through: Through, path: ReadonlyArray<MsrpUri>, request: Request): Decision {
    const { fromRelay, source } = request
    const session = through[1] ?? through[0]
    const parties = partiesOf(through, request.fromOwner)
    const next = path[1]
    if (next === undefined || !session.ownerAuthorities.includes(authorityKey(next))) {
      return refuse(403, "its To-Path does not lead to the owner of the session", parties)
    }
    const owner = ownerOf(session)
    if (path.length > 2 && !(owner instanceof RelayOwner)) {
      return refuse(403, "its To-Path continues beyond the owner of the session", parties)
    }
    const peer = peerOf(session)
    const hasOther = peer !== undefined && peer !== source && peer.open
    if (hasOther && !fromRelay && !hasSentOn(session, source)) {
      return refuse(506, "the session has a peer on another connection", parties)
    }
    const decision = owner instanceof RelayOwner
      ? this.#targets.reach(through, path, "relay", request)
      : this.#targets.forward(through, owner, request)
    if (decision._tag !== "Route" || fromRelay) return decision
    if (request.kind === Kind.Report) countsForAddress(source)
    else this.#bind(session, request, hasOther)
    return decision
  }

  /** Makes the sender the peer unless there is another. Its latest URI counts, because a chat switch uses several. */
  #bind(session: Session, { from, source }: Request, hasOther: boolean): void {
    if (!hasOther) session.peer = { connection: source, uri: from[0]! }
    source.sessions.becomesPeerOf(session)
    source.outbound.load.countsFor(() => this.#options.shared.outputs.ofUser(session))
    if (session.record.bound) return
    session.record.bound = true
    this.#options.shared.observer.bound(source, session.record)
  }
}

const isFromOwner = (session: Session, hop: Party, uri: MsrpUri, fromRelay: boolean): boolean => {
  const owner = ownerOf(session)
  return owner instanceof RelayOwner ? fromRelay && owner.reachesClientOf(session, uri) : owner === hop
}

/** Octets of a From-Path line. */
const fromLine = (path: ReadonlyArray<MsrpUri>): number =>
  path.reduce((octets, { text }) => octets + 1 + text.length, "From-Path:\r\n".length)

/**
 * All connections of one relay, without I/O: received octets and the time are passed in, and output is written to connections
 * that are passed in. Everything that takes time, or needs the outside world, is done by the edge.
 */
import type { Head } from "../protocol/Head.ts"
import type { MsrpUri } from "../protocol/Uri.ts"
import type { Connection, LocalSocket, Receiver } from "../transport/Connection.ts"
import { transportName } from "../transport/TransportName.ts"
import { Conditions } from "./Conditions.ts"
import { zeroCounters } from "./Counters.ts"
import { Hop, type HopOwner } from "./Hop.ts"
import { changeLimits, limitsWith, type RelayLimits } from "./Limits.ts"
import { LongTasks } from "./LongTasks.ts"
import { Memory } from "./Memory.ts"
import type { HopFacts, Observer } from "./Observer.ts"
import { OutputLoads } from "./OutputLoads.ts"
import { Paces } from "./route/Pace.ts"
import { Admission } from "./rules/Admission.ts"
import { Auth, type AuthOptions, type PendingAuth } from "./rules/Auth.ts"
import type { Authenticate } from "./rules/Decision.ts"
import { type Dial, Directory, type DirectoryOwner } from "./rules/Directory.ts"
import { type NextHopOptions, NextHops } from "./rules/NextHops.ts"
import { Peers, type RelayPolicy } from "./rules/Peers.ts"
import { RelayOwners } from "./rules/RelayOwners.ts"
import { Router } from "./rules/Router.ts"
import type { Sessions } from "./Session.ts"
import { SessionBook } from "./SessionBook.ts"
import type { Shared } from "./Shared.ts"
import { Shutdown } from "./Shutdown.ts"
import type { Timers } from "./Timers.ts"
import { Totals } from "./Totals.ts"
import { Turn } from "./Turn.ts"

/** A hop that is being dialled. */
export interface Dialled extends HopFacts {
  /** The connection was made. */
  dialled(connection: Connection): Receiver
  /** The connection could not be made; `status` is 403 if policy refused it. */
  unreachable(status: 403 | 408): void
}

/** Does for the relay what takes time, or needs the outside world. */
interface Edge {
  /** Runs a task once the octets at hand have been delivered. */
  readonly defer: (task: () => void) => void
  /** The index of the own certificate that is presented under this name. */
  readonly identity: (localName: string) => number
  /** Makes a connection. `ended` is called when it was made or could not be made; nothing is called before this returns. */
  readonly dial: (dial: Dial, hop: Dialled, ended: () => void) => void
  /** Decides an AUTH, and answers it by `Switchboard.auth`. `ended` is called then, maybe at once. */
  readonly authenticate: (pending: PendingAuth, ended: () => void) => void
}

/** Options that may change while the relay runs. */
export interface SwitchboardRules {
  readonly limits: RelayLimits
  readonly auth: AuthOptions
  readonly relayPeers: RelayPolicy
  readonly nextHops: NextHopOptions
}

interface SwitchboardOptions extends SwitchboardRules {
  readonly codec: Shared["codec"]
  readonly sessions: Sessions
  readonly timers: Timers
  readonly edge: Edge
  readonly networkOf: Shared["networkOf"]
  readonly observer: Observer
}

export class Switchboard implements HopOwner, DirectoryOwner {
  readonly shared: Shared
  readonly hops = new Set<Hop>()
  readonly auth: Auth
  readonly book: SessionBook
  readonly shutdown: Shutdown
  /** Set by `serves`. */
  router!: Router
  nextHops!: NextHops
  #directory!: Directory
  readonly #paces: Paces
  readonly #admission: Admission
  readonly #peers: Peers
  readonly #relays: RelayOwners
  readonly #options: SwitchboardOptions

  constructor(options: SwitchboardOptions) {
    const { auth, codec, edge, limits, networkOf, observer, relayPeers, sessions, timers } = options
    this.#options = options
    const turn = new Turn(timers.now, edge.defer, limits.turn)
    timers.onExpiry = () => turn.tick()
    timers.onDefect = (defect) => turn.throwsLater(defect)
    const bounds = limitsWith(timers, limits)
    this.shared = {
      codec,
      turn,
      tasks: new LongTasks(turn),
      memory: new Memory(),
      totals: new Totals(),
      outputs: new OutputLoads(bounds),
      limits: bounds,
      counters: zeroCounters(),
      observer,
      tracing: undefined,
      networkOf,
      hops: 0,
      conditions: new Conditions(turn),
      phase: "serving"
    }
    this.#paces = new Paces(this.shared.limits)
    this.book = new SessionBook(this.shared)
    sessions.onEnd((session, reason) => {
      this.book.ended(session, reason)
      this.shared.conditions.check()
    })
    this.#relays = new RelayOwners(this.shared, (session) => sessions.end(session, "its relay is gone"))
    this.auth = new Auth(this.shared, sessions, this.#relays, this.book, auth)
    this.#admission = new Admission(this.shared)
    this.#peers = new Peers(relayPeers)
    this.shutdown = new Shutdown(this.shared, this.hops, sessions, this.#admission, this.#relays)
  }

  /** Sets the sockets that the relay listens on, and its own URIs. Must be called before anything is received. */
  serves(sockets: ReadonlyArray<LocalSocket>, uris: ReadonlyArray<MsrpUri>): void {
    const { shared } = this
    const { auth: { usePath }, nextHops, sessions } = this.#options
    this.nextHops = new NextHops(nextHops, sockets, uris.map(({ host }) => host))
    const directory = this.#directory = new Directory(shared, this.nextHops, this)
    const [relays, peers, paces] = [this.#relays, this.#peers, this.#paces]
    this.router = new Router({ shared, sessions, relays, peers, uris, usePath, directory, paces })
  }

  /**
   * Applies new rules, except `usePath`; not before `serves`. No connection or session is closed because of it, even above a new
   * limit, and running timers keep their deadlines.
   */
  change({ auth, limits, nextHops, relayPeers }: SwitchboardRules): void {
    const { hops, shared } = this
    const paced = this.#paces.bounded
    changeLimits(shared.limits, this.#options.timers, limits)
    shared.turn.limit = limits.turn
    this.auth.options = { ...auth, usePath: this.auth.options.usePath }
    this.#peers.policy = relayPeers
    this.nextHops.options = nextHops
    if (!paced && this.#paces.bounded) shared.tasks.slices(hops, ({ routes }) => routes.repace(this.#paces))
    shared.tasks.slices(hops, ({ routes }) => routes.recheck())
  }

  /** Takes an accepted connection. */
  accept(connection: Connection): Receiver {
    const { counters, turn } = this.shared
    counters.connectionsAccepted++
    counters.acceptedBy[transportName(connection)]++
    turn.tick()
    const hop = new Hop(this)
    this.hops.add(hop)
    hop.accepted(connection)
    if (this.shared.phase === "stopping") hop.fail("the relay stops")
    return hop
  }

  // ---- what hops and rules ask for

  dial(dial: Dial, ended: () => void): Hop {
    const hop = new Hop(this)
    hop.proof.withRelay = dial.relay
    this.hops.add(hop)
    this.#options.edge.dial(dial, hop, ended)
    return hop
  }

  identity(localName: string): number {
    return this.#options.edge.identity(localName)
  }

  authenticate(hop: Hop, head: Head, request: Authenticate, ended: () => void): void {
    const pending = this.auth.begin(hop, head, request)
    if (pending === undefined) ended()
    else this.#options.edge.authenticate(pending, ended)
  }

  proves(names: ReadonlyArray<string>, uri: MsrpUri): boolean {
    return this.#peers.proves(names, uri)
  }

  entered(hop: Hop): void {
    this.#admission.entered(hop)
  }

  proved(hop: Hop): void {
    this.#admission.proved(hop)
  }

  closing(hop: Hop): void {
    this.#directory.forget(hop)
  }

  left(hop: Hop): () => void {
    this.hops.delete(hop)
    this.#admission.left(hop)
    this.#relays.left(hop)
    this.#directory.forget(hop)
    this.shared.conditions.check()
    // A client that is still connected when the relay stops has not closed its connection.
    const reason = hop.end === "the relay stops" ? "the relay stops" : "its connection closed"
    const reportEnds = this.book.endsThen(() => this.#options.sessions.endAllOf(hop, reason))
    return () => {
      reportEnds()
      this.shared.conditions.check()
    }
  }

  /**
   * To be called periodically. Closes connections without sessions that were not used in either direction for `millis`
   * milliseconds (RFC 4976 §6.5), and frees memory that is not needed any more.
   */
  tidy(millis: number): void {
    this.#admission.closeIdle(millis)
    this.shared.memory.relax()
  }
}

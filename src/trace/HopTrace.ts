/**
 * The trace of one connection, for all watchers of its users: decides whose a frame is, and what of it may be shown.
 * It is called by `FrameTrace` of the relay, into which it never throws.
 */
import { LinkedMap } from "../collections/LinkedMap.ts"
import type { Broken } from "../protocol/Broken.ts"
import { Decoder, type FrameSink } from "../protocol/Decoder.ts"
import { usernameIn } from "../protocol/digest/Authorization.ts"
import { fromOctets } from "../protocol/digest/Digest.ts"
import { parseDigest } from "../protocol/digest/Parameters.ts"
import type { FrameLimits } from "../protocol/FrameLimits.ts"
import { type Flag, type Head, Kind } from "../protocol/Head.ts"
import { sessionLabel } from "../protocol/Ident.ts"
import type { FrameTrace } from "../relay/FrameTrace.ts"
import type { HopFacts } from "../relay/Observer.ts"
import { type Address, addressText } from "../transport/Connection.ts"
import { transportName } from "../transport/TransportName.ts"
import { idsIn, maskHeaders, maskLine, sessionIdsOf } from "./Mask.ts"
import type { TraceFrame } from "./TraceFrame.ts"

/** Maximum number of AUTHs of a connection that await a response. */
const MAX_ASKED = 64

/** Stands for the addresses of a connection that was never established. */
const NOWHERE: Address = { host: "?", port: 0 }

/** A user name and its realm, as in an Authorization header. */
export interface Named {
  readonly username: string
  readonly realm: string | undefined
}

/** A consumer of traced frames. */
export interface Watcher {
  /** Whether it traces this user. */
  wants(user: Named): boolean
  /** Whether the session-id is of a session that it traces. */
  knows(sessionId: string): boolean
  offer(frame: TraceFrame): void
}

/** The watchers that may see a frame, each with the label of the frame's session if it is known. */
type Whose = ReadonlyMap<Watcher, string | undefined>

export interface HopTraceOptions {
  /** The connection may still be dialled. */
  readonly hop: HopFacts
  readonly limits: FrameLimits
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Called when the trace cannot go on. */
  readonly failed: (trace: HopTrace, error: unknown) => void
  readonly gone: (trace: HopTrace) => void
}

/** Outgoing frames may exceed the limits of incoming ones, because the relay adds its own URI to the paths. */
const outgoingLimits = (limits: FrameLimits): FrameLimits => ({
  ...limits,
  startLine: 2 * limits.startLine,
  headerLine: 2 * limits.headerLine,
  headerSection: 2 * limits.headerSection,
  headers: 2 * limits.headers
})

export class HopTrace implements FrameTrace {
  readonly incoming: FrameSink
  readonly #outgoing: Decoder
  readonly #options: HopTraceOptions
  /** The watchers. `true` if a watcher sees all frames, because nobody else has a session on the connection. */
  readonly #watchers = new Map<Watcher, boolean>()
  /** Watchers of the AUTHs that await a response, by transaction id. */
  readonly #asked = new LinkedMap<string, Whose>()

  constructor(options: HopTraceOptions) {
    this.#options = options
    this.incoming = new Direction("in", this)
    this.#outgoing = new Decoder(new Direction("out", this), outgoingLimits(options.limits))
  }

  outgoing(octets: Buffer): void {
    this.guard(() => this.#outgoing.push(octets))
  }

  closed(): void {
    this.#options.gone(this)
  }

  /** Adds a watcher. `alone`: whether only users that it traces have sessions on the connection. */
  watchedBy(watcher: Watcher, alone: boolean): void {
    this.#watchers.set(watcher, alone)
  }

  /** Removes a watcher. Returns whether none is left. */
  leftBy(watcher: Watcher): boolean {
    this.#watchers.delete(watcher)
    return this.#watchers.size === 0
  }

  has(watcher: Watcher): boolean {
    return this.#watchers.has(watcher)
  }

  /** Runs a task whose failure must end only this trace. */
  guard(task: () => void): void {
    try {
      task()
    } catch (error) {
      this.#options.failed(this, error)
    }
  }

  /** The watchers that may see a frame; empty if there are none. */
  whose(head: Head, direction: TraceFrame["direction"]): Whose {
    const { fromPath, toPath } = head
    const asked = direction === "out" && head.kind === Kind.Response ? this.#takeAsked(head.transactionId) : undefined
    const granted = asked === undefined ? undefined : sessionIdsOf(head.header("Use-Path") ?? "").at(-1)
    // The relay's own URI is the first of this path.
    const own = granted ?? sessionIdsOf((direction === "in" ? toPath : fromPath).split(" ", 1)[0]!)[0]
    const ids = [...sessionIdsOf(toPath), ...sessionIdsOf(fromPath)]
    const names = direction === "in" && head.kind === Kind.Auth ? namesOf(head) : []
    const whose = new Map<Watcher, string | undefined>()
    for (const [watcher, alone] of this.#watchers) {
      const id = ids.find((one) => watcher.knows(one))
      if (!alone && id === undefined && asked?.has(watcher) !== true && !names.some((one) => watcher.wants(one))) {
        continue
      }
      const session = id ?? own
      whose.set(watcher, session === undefined ? undefined : sessionLabel(session))
    }
    if (names.length > 0 && whose.size > 0) this.#ask(head.transactionId, whose)
    return whose
  }

  #ask(transactionId: string, whose: Whose): void {
    this.#asked.set(transactionId, whose)
    this.#asked.shorten(MAX_ASKED)
  }

  #takeAsked(transactionId: string): Whose | undefined {
    const whose = this.#asked.get(transactionId)
    this.#asked.delete(transactionId)
    return whose
  }

  /** The watchers that see all frames of the connection. */
  get alone(): Whose {
    return new Map(Array.from(this.#watchers).flatMap(([one, alone]) => alone ? [[one, undefined] as const] : []))
  }

  tell(direction: TraceFrame["direction"], whose: Whose, frame: Told): void {
    const { hop: { connection, number }, now } = this.#options
    const whole: TraceFrame = {
      time: now(),
      direction,
      connection: number,
      transport: connection === undefined ? "tcp" : transportName(connection),
      remote: addressText(connection?.remote ?? NOWHERE),
      local: addressText(connection?.local ?? NOWHERE),
      ...frame
    }
    for (const [watcher, session] of whose) {
      if (this.#watchers.has(watcher)) watcher.offer(session === undefined ? whole : { ...whole, session })
    }
  }
}

type Told = Omit<TraceFrame, "time" | "direction" | "connection" | "transport" | "remote" | "local" | "session">

/** Frames of one direction. */
class Direction implements FrameSink {
  readonly #direction: TraceFrame["direction"]
  readonly #trace: HopTrace
  /** Watchers of the long chunk in progress; its start line and the octets of body so far follow. */
  #chunk: Whose | undefined
  #startLine = ""
  #octets = 0

  constructor(direction: TraceFrame["direction"], trace: HopTrace) {
    this.#direction = direction
    this.#trace = trace
  }

  frame(head: Head, bodyStart: number, bodyEnd: number, flag: Flag): boolean {
    this.#trace.guard(() => this.#tell(head, { part: "frame", octets: bodyEnd - bodyStart, flag }))
    return true
  }

  chunkStart(head: Head): void {
    this.#trace.guard(() => {
      this.#octets = 0
      this.#chunk = this.#tell(head, { part: "begin" })
      if (this.#chunk !== undefined) this.#startLine = startLineOf(head, idsIn(linesOf(head)))
    })
  }

  chunkBody(_: Buffer, start: number, end: number): void {
    this.#octets += end - start
  }

  chunkEnd(flag: Flag): void {
    const chunk = this.#chunk
    this.#chunk = undefined
    if (chunk === undefined) return
    const end = { part: "end", startLine: this.#startLine, headers: [], octets: this.#octets, flag } as const
    this.#trace.guard(() => this.#trace.tell(this.#direction, chunk, end))
  }

  overLimit(reason: Broken, head: Head): boolean {
    this.#trace.guard(() => void this.#tell(head, { part: "begin", problem: reason }))
    return true
  }

  broken(reason: Broken, head: Head | undefined): void {
    this.#trace.guard(() => {
      const told = { part: "broken", problem: reason } as const
      if (head !== undefined) this.#tell(head, told)
      else this.#trace.tell(this.#direction, this.#trace.alone, { ...told, startLine: "", headers: [] })
    })
  }

  #tell(head: Head, told: Omit<Told, "startLine" | "headers">): Whose | undefined {
    const whose = this.#trace.whose(head, this.#direction)
    if (whose.size === 0) return undefined
    const lines = linesOf(head)
    const ids = idsIn(lines)
    const { problem } = head
    this.#trace.tell(this.#direction, whose, {
      ...(problem === undefined ? {} : { problem }),
      ...told,
      startLine: startLineOf(head, ids),
      headers: maskHeaders(lines, ids)
    })
    return whose
  }
}

/** The header lines of a frame. */
const linesOf = (head: Head): ReadonlyArray<string> =>
  head.buf.toString("latin1", head.start, head.restEnd).split("\r\n").slice(1, -1)

const startLineOf = (head: Head, ids: ReadonlyArray<string>): string =>
  maskLine(head.buf.toString("latin1", head.start, head.commentEnd), ids)

/** The users that an AUTH names. */
export const namesOf = (head: Head): ReadonlyArray<Named> =>
  head.headers("Authorization").flatMap((value) => {
    const parsed = parseDigest(value)
    const username = parsed._tag === "Digest" ? usernameIn(parsed.parameters) : undefined
    if (parsed._tag !== "Digest" || username === undefined) return []
    const realm = parsed.parameters.get("realm")
    return [{ username: fromOctets(username), realm: realm === undefined ? undefined : fromOctets(realm) }]
  })

/**
 * Queries for SRV records (RFC 2782, RFC 1035). `node:dns` has them too, but does not return the TTL.
 */
import {
  type Answer,
  decode,
  type DecodedPacket,
  encode,
  type Packet,
  RECURSION_DESIRED,
  streamEncode
} from "dns-packet"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { randomInt } from "node:crypto"
import { createSocket } from "node:dgram"
import { connect, isIP } from "node:net"
import { codeOf } from "../net/ErrorCode.ts"
import { withoutRootDot } from "../net/Hosts.ts"

/**
 * One SRV record (RFC 2782).
 *
 * @category models
 * @since 0.1.0
 */
export interface SrvRecord {
  /** The record with the lowest value is tried first. */
  readonly priority: number
  /** The relative share among records of the same priority. */
  readonly weight: number
  readonly port: number
  /** A host name; empty (the root) if the domain does not have the service. */
  readonly target: string
  /** Seconds that the record may be cached; a minute when absent. */
  readonly ttl?: number | undefined
}

export interface NameServer {
  readonly host: string
  readonly port: number
}

/** A query that failed; `code`: as in `node:dns`. */
export class QueryError extends Data.TaggedError("QueryError")<{ readonly code: string }> {}

/** Milliseconds that one query may take. */
const TIMEOUT = 2000

/** The most octets of an answer, about a hundred records: the owner of the domain decides how long it takes to decode. */
const MAX_ANSWER = 8192

/** A label has at most 63 octets (RFC 1035 §2.3.4). */
const LABEL = /^[^.]{1,63}$/
/** The most octets of a name, without the root dot (RFC 1035 §2.3.4). */
const MAX_NAME = 253

/** Whether `nameServerOf` can read the text. */
export const isNameServer = (text: string): boolean => {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const address = isIP(text) === 6 ? text : bracketed ?? plain ?? ""
  return isIP(address) !== 0 && Number(port ?? 53) <= 65_535
}

/** Reads `192.0.2.53`, `192.0.2.53:53`, `2001:db8::53` or `[2001:db8::53]:53`. */
export const nameServerOf = (text: string): NameServer => {
  if (isIP(text) !== 0) return { host: text, port: 53 }
  const colon = text.endsWith("]") ? text.length : text.lastIndexOf(":")
  return { host: text.slice(0, colon).replace(/^\[(.*)\]$/, "$1"), port: Number(text.slice(colon + 1) || 53) }
}

/** Queries the records of a name; empty if it has none, or does not exist. */
export const querySrv = Effect.fnUntraced(function*(
  name: string,
  server: NameServer
): Effect.fn.Return<ReadonlyArray<SrvRecord>, QueryError> {
  if (name.length > MAX_NAME || !name.split(".").every((label) => LABEL.test(label))) {
    return yield* new QueryError({ code: "EBADNAME" })
  }
  const id = randomInt(0x1_0000)
  const query: Packet = { type: "query", id, flags: RECURSION_DESIRED, questions: [{ type: "SRV", name }] }
  const read = (octets: Buffer): Reply | undefined => {
    if (octets.length > MAX_ANSWER) return undefined
    // A truncated answer may end in the middle of a record, which cannot be decoded.
    if (octets.length > HEADER && octets.readUInt16BE(0) === id && (octets[2]! & TRUNCATED) !== 0) return "truncated"
    try {
      const packet = decode(octets)
      return packet.id === id && isAnswerTo(packet, name) ? packet : undefined
    } catch {
      return undefined
    }
  }
  const ask = Effect.gen(function*() {
    const reply = yield* overUdp(server, encode(query), read)
    return reply === "truncated" ? yield* overTcp(server, streamEncode(query), read) : reply
  })
  const reply = yield* Effect.timeoutOrElse(ask, {
    duration: TIMEOUT,
    orElse: () => Effect.fail(new QueryError({ code: "ETIMEOUT" }))
  })
  if (reply === "truncated") return yield* new QueryError({ code: "EBADRESP" })
  const { answers = [], flags = 0 } = reply
  const rcode = flags & RCODE
  if (rcode === NXDOMAIN) return []
  if (rcode !== 0) return yield* new QueryError({ code: errors.get(rcode) ?? "EBADRESP" })
  const owner = ownerOf(name, answers)
  return answers.flatMap((answer): ReadonlyArray<SrvRecord> => {
    if (answer.type !== "SRV" || answer.class !== "IN" || nameOf(answer.name) !== owner) return []
    const { port, priority = 0, target, weight = 0 } = answer.data
    return [{ priority, weight, port, target: target === "." ? "" : target, ttl: answer.ttl ?? 0 }]
  })
})

/** The form of a name for comparing: without case (RFC 4343 §3) and root dot. */
const nameOf = (text: string): string => withoutRootDot(text.toLowerCase())

/** Whether a message is a response to exactly this question (RFC 1035 §4.1, RFC 5452 §9.1). */
const isAnswerTo = ({ flags = 0, questions = [], type }: DecodedPacket, name: string): boolean => {
  const [question] = questions
  return type === "response" && (flags & OPCODE) === 0 && questions.length === 1 && question!.type === "SRV" &&
    question!.class === "IN" && nameOf(question!.name) === nameOf(name)
}

/** The most aliases (CNAME) that are followed. */
const MAX_ALIASES = 8

/** The owner of the records that answer the question: the name, or what it is an alias for (RFC 1034 §3.6.2). */
const ownerOf = (name: string, answers: ReadonlyArray<Answer>): string => {
  let owner = nameOf(name)
  for (let i = 0; i < MAX_ALIASES; i++) {
    const alias = answers.find((answer) => answer.type === "CNAME" && nameOf(answer.name) === owner)
    if (alias?.type !== "CNAME") return owner
    owner = nameOf(alias.data)
  }
  return owner
}

/** Octets of the header of a message, and its flags and response codes (RFC 1035 §4.1.1). */
const HEADER = 12
const TRUNCATED = 0x02
const OPCODE = 0x7800
const RCODE = 0x0f
const NXDOMAIN = 3
const errors = new Map([[1, "EFORMERR"], [2, "ESERVFAIL"], [4, "ENOTIMP"], [5, "EREFUSED"]])

type Reply = DecodedPacket | "truncated"
/** Reads a response; undefined for anything else, such as a forged datagram. */
type Read = (octets: Buffer) => Reply | undefined

const failure = (cause: unknown): Effect.Effect<never, QueryError> =>
  Effect.fail(new QueryError({ code: codeOf(cause) }))

const overUdp = ({ host, port }: NameServer, query: Buffer, read: Read): Effect.Effect<Reply, QueryError> =>
  Effect.suspend(() => {
    const socket = createSocket(isIP(host) === 6 ? "udp6" : "udp4")
    return Effect.callback<Reply, QueryError>((resume) => {
      socket.on("error", (cause) => resume(failure(cause)))
      socket.on("message", (octets) => {
        const reply = read(octets)
        if (reply !== undefined) resume(Effect.succeed(reply))
      })
      // Connected: only datagrams of the server are received, and ICMP errors are reported at once.
      // Node would call a callback of `connect` also when it fails, and then `send` throws.
      socket.on("connect", () => socket.send(query))
      socket.connect(port, host)
    }).pipe(Effect.ensuring(Effect.sync(() => socket.close())))
  })

/** For answers that do not fit into a datagram (RFC 7766). */
const overTcp = ({ host, port }: NameServer, query: Buffer, read: Read): Effect.Effect<Reply, QueryError> =>
  Effect.suspend(() => {
    const socket = connect({ host, port })
    let octets = Buffer.alloc(0)
    return Effect.callback<Reply, QueryError>((resume) => {
      const bad = new QueryError({ code: "EBADRESP" })
      socket.on("error", (cause) => resume(failure(cause)))
      socket.on("close", () => resume(Effect.fail(bad)))
      socket.on("data", (more) => {
        octets = Buffer.concat([octets, more])
        if (octets.length < 2 || octets.length < 2 + octets.readUInt16BE(0)) return
        const reply = read(octets.subarray(2, 2 + octets.readUInt16BE(0)))
        resume(reply === undefined ? Effect.fail(bad) : Effect.succeed(reply))
      })
      socket.write(query)
    }).pipe(Effect.ensuring(Effect.sync(() => socket.destroy())))
  })

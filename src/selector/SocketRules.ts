/** The language of rules that choose a local socket: `dst=*.example.com -> msrps:192.0.2.1:2856; src=10.0.0.0/8 -> none`. */
import * as Data from "effect/Data"
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { hostName, isHostPattern, withoutRootDot } from "../net/Hosts.ts"
import { canonicalHost, parseUri } from "../protocol/Uri.ts"
import type { LocalSocket } from "../transport/Connection.ts"

/**
 * What is known when a request needs a connection that is not there yet.
 *
 * @category models
 * @since 0.1.0
 */
export interface SocketRequest {
  /** The peer of the connection that the request came in on. */
  readonly source: { readonly host: string; readonly port: number }
  /** What that connection runs on. */
  readonly protocol: "tcp" | "tls"
  /** The local socket of that connection; `undefined` if it was dialled from none in particular. */
  readonly inbound: LocalSocket | undefined
  /** The hop to connect to, as in its URI; its host is not resolved yet. */
  readonly destination: { readonly scheme: "msrp" | "msrps"; readonly host: string; readonly port: number }
}

/**
 * One rule of a list: the first that matches a request decides.
 *
 * @category models
 * @since 0.1.0
 */
export interface SocketRule {
  /** Whether the rule decides about a request. */
  readonly matches: (request: SocketRequest) => boolean
  /**
   * The socket to dial from; the rule then does not apply to destinations of the other scheme. `"none"`: none in
   * particular. `"default"`: what `defaultSocket` says.
   */
  readonly use: LocalSocket | "none" | "default"
  /** The sockets of its condition `in`. If the relay listens on none of them, the rule never applies. */
  readonly inbound?: ReadonlyArray<LocalSocket> | undefined
}

/**
 * What is wrong with a rule.
 *
 * @category errors
 * @since 0.1.0
 */
export interface SocketRuleProblem {
  /** The number of the rule, counted from 1; empty rules do not count. */
  readonly number: number
  /** The text of the rule. */
  readonly rule: string
  readonly problem: string
}

/**
 * The text given to `parseSocketRules` has malformed rules, all of which are listed.
 *
 * @category errors
 * @since 0.1.0
 */
export class SocketRulesError extends Data.TaggedError("SocketRulesError")<{
  readonly problems: ReadonlyArray<SocketRuleProblem>
}> {
  override get message(): string {
    return this.problems.map(({ number, problem, rule }) => `rule ${number} "${rule}": ${problem}`).join("; ")
  }
}

/**
 * Reads a local socket: `msrp:192.0.2.1:2855`, `msrps:[::]:2856`. `undefined` when it is not one.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parseSocket = (text: string): LocalSocket | undefined => {
  // With `//`, a socket is the beginning of a URI.
  const uri = /[;/@]/.test(text) ? undefined : parseUri(`${text.replace(":", "://")};tcp`)
  return uri?.port === undefined ? undefined : { scheme: uri.scheme, host: uri.host, port: uri.port }
}

/** One condition of a rule. */
type Test = (request: SocketRequest) => boolean
type Parsed<A> = Result.Result<A, string>

/** A host in the two forms that values of conditions are compared with. */
interface Host {
  readonly name: string
  readonly address: NetAddress.IpAddress | undefined
}

const hostOf = (text: string): Host => {
  // The address of a peer may have a zone; on a listener for both families it may be IPv4-mapped (RFC 4291 §2.5.5.2).
  const name = hostName(text.includes(":") ? text.replace(/%.*$/s, "") : text)
  const address = Option.getOrUndefined(Result.getSuccess(NetAddress.ipFromString(name)))
  return { name, address: address === undefined ? undefined : NetAddress.toCanonical(address) }
}

/** Makes the parser of a condition, which holds if what `subject` takes from the request matches one of the values. */
const condition =
  <A>(parse: (value: string) => Parsed<(subject: A) => boolean>, subject: (request: SocketRequest) => A) =>
  (values: ReadonlyArray<string>): Parsed<Test> =>
    Result.map(Result.all(values.map(parse)), (tests) => (request) => {
      const actual = subject(request)
      return tests.some((test) => test(actual))
    })

const oneOf = <A extends string>(...known: ReadonlyArray<A>) => (value: string): Parsed<(actual: A) => boolean> =>
  known.some((one) => one === value)
    ? Result.succeed((actual) => actual === value)
    : Result.fail(`"${value}" is not ${known.join(" or ")}`)

const PORTS = /^(\d{1,5})(?:-(\d{1,5}))?$/

const ports = (value: string): Parsed<(port: number) => boolean> => {
  const match = PORTS.exec(value)
  const low = Number(match?.[1])
  const high = Number(match?.[2] ?? match?.[1])
  return match !== null && low <= high && high <= 65_535
    ? Result.succeed((port) => port >= low && port <= high)
    : Result.fail(`"${value}" is not a port or a range like 40000-49999`)
}

const network = (value: string): Parsed<(host: Host) => boolean> => {
  const parsed = value.includes("/")
    ? IpNetwork.fromString(value)
    : Result.flatMap(NetAddress.ipFromString(value), (one) => IpNetwork.make(one, NetAddress.width(one)))
  return Result.mapBoth(parsed, {
    onSuccess: (network) => ({ address }) => address !== undefined && IpNetwork.contains(network, address),
    onFailure: (error) => `"${value}" is not an address or a network like 10.0.0.0/8: ${error.message}`
  })
}

const ENDS_IN_NUMBER = /(?:^|\.)\d+$/

const host = (value: string): Parsed<(host: Host) => boolean> => {
  // A value whose last label is a number is an address, or was meant to be one.
  if (value.includes("/") || value.includes(":") || ENDS_IN_NUMBER.test(value)) return network(value)
  if (!isHostPattern(value)) {
    return Result.fail(`"${value}" is not a name, a domain like *.example.com, an address or a network`)
  }
  const wanted = withoutRootDot(value.toLowerCase())
  const suffix = wanted.startsWith("*.") ? wanted.slice(1) : undefined
  return Result.succeed(({ name }) => suffix === undefined ? name === wanted : name.endsWith(suffix))
}

const socket = (value: string): Parsed<(socket: LocalSocket | undefined) => boolean> => {
  const wanted = parseSocket(value)
  if (wanted === undefined) return Result.fail(`"${value}" is not a socket like msrp:192.0.2.1:2855`)
  const host = canonicalHost(wanted.host)
  return Result.succeed((actual) =>
    actual !== undefined && actual.scheme === wanted.scheme && actual.port === wanted.port &&
    canonicalHost(actual.host) === host
  )
}

const conditions: ReadonlyMap<string, (values: ReadonlyArray<string>) => Parsed<Test>> = new Map([
  ["src", condition(network, (request) => hostOf(request.source.host))],
  ["src-port", condition(ports, (request) => request.source.port)],
  ["protocol", condition(oneOf("tcp", "tls"), (request) => request.protocol)],
  ["in", condition(socket, (request) => request.inbound)],
  ["scheme", condition(oneOf("msrp", "msrps"), (request) => request.destination.scheme)],
  ["dst", condition(host, (request) => hostOf(request.destination.host))],
  ["dst-port", condition(ports, (request) => request.destination.port)]
])

const parseRule = (rule: string): Parsed<SocketRule> => {
  const arrow = rule.indexOf("->")
  if (arrow === -1) return Result.fail(`no "->" before the socket to use`)
  const target = rule.slice(arrow + 2).trim()
  const use = target === "none" || target === "default" ? target : parseSocket(target)
  if (use === undefined) {
    return Result.fail(`"${target}" is not a socket like msrps:192.0.2.1:2856, "none" or "default"`)
  }

  const tests = new Map<string, Test>()
  let inbound: ReadonlyArray<LocalSocket> | undefined
  for (const condition of rule.slice(0, arrow).split(" ").filter((word) => word !== "")) {
    const equals = condition.indexOf("=")
    const name = condition.slice(0, equals)
    const values = condition.slice(equals + 1).split(",")
    const parse = conditions.get(name)
    if (equals === -1 || parse === undefined) {
      return Result.fail(`"${condition}" is not a condition; they are ${[...conditions.keys()].join(", ")}`)
    }
    if (tests.has(name)) return Result.fail(`"${name}" occurs twice; put its values in one, with commas between them`)
    const test = parse(values)
    if (Result.isFailure(test)) return Result.fail(`${name}: ${test.failure}`)
    if (name === "scheme" && typeof use !== "string" && !values.includes(use.scheme)) {
      return Result.fail(`it can never apply: the socket is for ${use.scheme}`)
    }
    if (name === "in") inbound = values.flatMap((value) => parseSocket(value) ?? [])
    tests.set(name, test.success)
  }
  const all = [...tests.values()]
  return Result.succeed({ matches: (request) => all.every((test) => test(request)), use, inbound })
}

/**
 * Reads rules, separated by `;`, each with any number of conditions and what to use:
 *
 *     dst=*.example.com scheme=msrps -> msrps:192.0.2.1:2856; src=10.0.0.0/8,fd00::/8 -> none
 *
 * All conditions of a rule must hold. A condition has one or more values with commas between them, of which one must
 * match:
 *
 * - `src`: address of the peer that the request came from, as an address or a network (`10.0.0.0/8`)
 * - `src-port`: its port, as a number or a range (`40000-49999`)
 * - `protocol`: what it came in over, `tcp` or `tls`
 * - `in`: the local socket that it came in on (`msrp:192.0.2.1:2855`)
 * - `scheme`: scheme of the destination, `msrp` or `msrps`
 * - `dst`: host of the destination as its URI has it: a name, all names under a domain (`*.example.com`, without
 *   `example.com` itself), an address or a network. Names are not resolved, so a network matches only addresses
 * - `dst-port`: its port, as a number or a range
 *
 * To the right of the arrow is a local socket (`msrp:` for TCP or `msrps:` for TLS, an address or name, and a port; IPv6
 * in brackets), or `none` or `default`, as in `SocketRule`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parseSocketRules = (text: string): Result.Result<ReadonlyArray<SocketRule>, SocketRulesError> => {
  const rules: Array<SocketRule> = []
  const problems: Array<SocketRuleProblem> = []
  const texts = text.split(";").map((rule) => rule.trim().replace(/\s+/g, " ")).filter((rule) => rule !== "")
  for (const [index, rule] of texts.entries()) {
    const parsed = parseRule(rule)
    if (Result.isSuccess(parsed)) rules.push(parsed.success)
    else problems.push({ number: index + 1, rule, problem: parsed.failure })
  }
  return problems.length === 0 ? Result.succeed(rules) : Result.fail(new SocketRulesError({ problems }))
}

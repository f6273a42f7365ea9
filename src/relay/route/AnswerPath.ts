/**
 * The paths of what goes out on a route, and those of the answers to it: whether an answer came back along the route, and the path on
 * which it goes further back (RFC 4975 §7.2, RFC 4976 §6.4.3).
 */
import type { FrameLimits } from "../../protocol/FrameLimits.ts"
import { keepText } from "../../protocol/Octets.ts"
import { type MsrpUri, parsePath, sameUri } from "../../protocol/Uri.ts"

/** The paths of the requests that take a route, as they came in. */
export interface RoutePaths {
  /** The URIs of this relay, at the front of To-Path. */
  readonly own: ReadonlyArray<MsrpUri>
  /** The URIs behind them in To-Path. */
  readonly rest: ReadonlyArray<MsrpUri>
  readonly from: ReadonlyArray<MsrpUri>
}

export abstract class AnswerPath {
  readonly #limits: FrameLimits
  /** The URIs of this relay, as they stand at the front of From-Path in what goes out. */
  readonly ownPath: string
  /** The To-Path and From-Path lines of what goes out. */
  readonly lines: Buffer
  /** Octets in `lines` before the path of the original sender. */
  protected readonly octetsBefore: number
  /** The URI of this relay that the requests were addressed to. */
  readonly own: string
  /** The first URI of this relay on the way back. */
  readonly #firstBack: string

  constructor({ from, own, rest }: RoutePaths, limits: FrameLimits) {
    this.#limits = limits
    this.own = own[0]!.text
    this.#firstBack = own.length === 1 ? this.own : own.at(-1)!.text
    this.ownPath = own.length === 1 ? this.own : own.map((uri) => uri.text).toReversed().join(" ")
    const fromPath = from.map((uri) => uri.text).join(" ")
    const before = `To-Path: ${rest.map((uri) => uri.text).join(" ")}\r\nFrom-Path: ${this.ownPath} `
    this.octetsBefore = before.length
    this.lines = keepText(`${before}${fromPath}\r\n`)
  }

  /** From-Path as it came in: the way to the original sender. It is kept once, because it may be as long as a header line. */
  get fromPath(): string {
    return this.lines.toString("latin1", this.octetsBefore, this.lines.length - 2)
  }

  /**
   * Whether this is the To-Path of an answer to a request that took this route. The answer to a SEND has to name only the
   * previous hop, which is the first URI of this relay (RFC 4975 §7.2). Some relays name no more in any answer, and some
   * endpoints that do not support relays name only the sender.
   */
  isAnswered(toPath: string, isSend: boolean): boolean {
    if (this.#behind(this.#firstBack, toPath) === undefined) return this.#isSender(toPath)
    return isSend || this.pathBack(toPath) !== undefined
  }

  /** Whether this is the last URI of From-Path and nothing else. */
  #isSender(toPath: string): boolean {
    return this.#behind(this.fromPath.slice(this.fromPath.lastIndexOf(" ") + 1), toPath) === ""
  }

  /** The URIs behind those of this relay: as in the answer, or as in the request if that has more of them. */
  protected pathBack(toPath: string): string | undefined {
    const rest = this.#behind(this.ownPath, toPath)
    if (rest === undefined) {
      return this.#behind(this.#firstBack, toPath) === "" || this.#isSender(toPath) ? this.fromPath : undefined
    }
    return urisOf(rest) < urisOf(this.fromPath) ? this.fromPath : rest
  }

  /**
   * What follows the URIs of this relay in the To-Path of an answer; undefined if it does not begin with them.
   *
   * Most peers copy the URIs that they received. A URI that is written differently may still be the same (RFC 4975 §6.1).
   */
  #behind(own: string, toPath: string): string | undefined {
    if (toPath === own) return ""
    if (toPath.startsWith(own) && toPath.charAt(own.length) === " ") return toPath.slice(own.length + 1)
    const { pathUris } = this.#limits
    const uris = parsePath(toPath, pathUris) ?? []
    const wanted = parsePath(own, pathUris)!
    if (uris.length < wanted.length || !wanted.every((uri, i) => sameUri(uri, uris[i]!))) return undefined
    return uris.slice(wanted.length).map((uri) => uri.text).join(" ")
  }
}

const urisOf = (path: string): number => path === "" ? 0 : path.split(" ").length

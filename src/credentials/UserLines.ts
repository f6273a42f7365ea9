/** Parses lines of `user:realm:secret` incrementally, so that a large file can be read in many turns of the event loop. */
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Buckets } from "../collections/Buckets.ts"
import type { Secret, UserKey, UserTable } from "../Credentials.ts"
import { algorithmOf, type DigestAlgorithm, digestAlgorithms } from "../protocol/digest/Digest.ts"

/**
 * A line that cannot be used. Its text is left out, because it may be a password.
 *
 * @category models
 * @since 0.2.0
 */
export interface LineProblem {
  /** Number of the line, from 1. */
  readonly line: number
  readonly problem: string
}

/** Maximum number of wrong lines that are reported. */
const MAX_PROBLEMS = 10

/** Maximum number of characters of a line: names in an AUTH are shorter, and a long line would be normalized in one turn. */
const MAX_LINE = 8192

/** Maximum number of realms whose lines are counted. */
const MAX_REALMS = 100

/**
 * The lines of a realm: how many, and the number of the first one, from 1.
 *
 * @category models
 * @since 0.2.0
 */
export interface RealmLines {
  count: number
  readonly first: number
}

/** Buckets of a table of users, so that none is large. */
const BUCKETS = 1024

/**
 * The users of a file that is read line by line, and what is wrong in it.
 *
 * @category models
 * @since 0.2.0
 */
export class UserLines implements UserTable {
  /** The first wrong lines; reading stops when there are too many. */
  readonly problems: Array<LineProblem> = []
  /**
   * Numbers, from 1, of the first lines with an H(A1) whose user or realm is not composed (NFC). Their users are found, but a
   * client that follows RFC 7616 §4 composes the text that it hashes, so its digest may differ.
   */
  readonly decomposed: Array<number> = []
  /** The lines of the first realms, in composed form, with users. */
  readonly realms = new Map<string, RealmLines>()
  readonly #calculateHa1: boolean
  /**
   * Secrets by `user:realm` in composed form, or by `user:` for users of every realm. They are plain text, because all
   * `Redacted` values share one large table, and the process pauses when that grows.
   */
  readonly #secrets = {
    password: new Buckets<string>(BUCKETS),
    "MD5": new Buckets<string>(BUCKETS),
    "SHA-256": new Buckets<string>(BUCKETS)
  }
  #users = 0
  /** Whether a user is of every realm. */
  #ofAll = false
  #lines = 0
  /** The beginning of a line whose rest has not arrived. */
  #begun = ""

  /** `calculateHa1`: whether the secrets are passwords instead of H(A1)s. */
  constructor(calculateHa1: boolean) {
    this.#calculateHa1 = calculateHa1
  }

  get users(): number {
    return this.#users
  }

  get algorithms(): ReadonlyArray<DigestAlgorithm> {
    if (this.#calculateHa1) return digestAlgorithms
    const common = digestAlgorithms.filter((one) => this.#secrets[one].size === this.#users)
    return common.length > 0 ? common : digestAlgorithms.filter((one) => this.#secrets[one].size > 0)
  }

  /**
   * Whether there are users of any of these realms, in composed form. If the file has lines for more realms than are counted, it may
   * have some.
   */
  mayHaveUsersOf(realms: ReadonlyArray<string>): boolean {
    return this.#ofAll || this.realms.size >= MAX_REALMS || realms.some((realm) => this.realms.has(realm))
  }

  lookup({ realm, username }: UserKey): Option.Option<Secret> {
    const name = username.normalize("NFC")
    const secret = this.#secretOf(`${name}:${realm.normalize("NFC")}`) ?? this.#secretOf(`${name}:`)
    // The answer for an unknown user must take as long.
    if (secret === undefined) Redacted.make("")
    return Option.fromNullishOr(secret)
  }

  #secretOf(key: string): Secret | undefined {
    const password = this.#secrets.password.get(key)
    if (password !== undefined) return { _tag: "Password", password: Redacted.make(password) }
    const ha1: Partial<Record<DigestAlgorithm, Redacted.Redacted>> = {}
    for (const algorithm of digestAlgorithms) {
      const digits = this.#secrets[algorithm].get(key)
      if (digits !== undefined) ha1[algorithm] = Redacted.make(digits)
    }
    return Object.keys(ha1).length === 0 ? undefined : { _tag: "Ha1", ha1 }
  }

  /** Adds the next part of the text, which may begin and end inside a line. */
  add(text: string): void {
    let start = 0
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
      this.#line(this.#begun + text.slice(start, end))
      this.#begun = ""
      start = end + 1
    }
    this.#begun += text.slice(start)
  }

  /** Ends the text: what is left is the last line. */
  end(): void {
    this.#line(this.#begun)
    this.#begun = ""
  }

  #line(text: string): void {
    this.#lines++
    if (this.problems.length === MAX_PROBLEMS) return
    const problem = this.#user(text.endsWith("\r") ? text.slice(0, -1) : text)
    if (problem !== undefined) this.problems.push({ line: this.#lines, problem })
  }

  /** Adds the user of a line; returns what is wrong with it, if anything. */
  #user(line: string): string | undefined {
    const content = line.trimStart()
    if (content === "" || content.startsWith("#")) return undefined
    if (line.length > MAX_LINE) return "too long"
    const afterName = line.indexOf(":")
    const afterRealm = line.indexOf(":", afterName + 1)
    if (afterName === -1 || afterRealm === -1) return "not user:realm:secret"
    if (afterName === 0) return "user name missing"
    const realm = line.slice(afterName + 1, afterRealm)
    const written = line.slice(0, afterRealm)
    const key = written.normalize("NFC")
    const value = line.slice(afterRealm + 1)
    if (this.#calculateHa1) return value === "" ? "password missing" : this.#keep("password", key, value)
    if (realm === "") return "realm missing"
    const digits = value.trim().toLowerCase()
    const algorithm = algorithmOf(digits)
    if (algorithm === undefined) return "the secret is not 32 (MD5) or 64 (SHA-256) hexadecimal digits"
    if (key !== written && this.decomposed.length < MAX_PROBLEMS) this.decomposed.push(this.#lines)
    return this.#keep(algorithm, key, digits)
  }

  #keep(kind: "password" | DigestAlgorithm, key: string, secret: string): string | undefined {
    if (this.#secrets[kind].has(key)) return "the same user and realm stand in an earlier line"
    if (!Object.values(this.#secrets).some((others) => others.has(key))) this.#users++
    this.#secrets[kind].set(key, secret)
    this.#count(key.slice(key.indexOf(":") + 1))
    return undefined
  }

  #count(realm: string): void {
    const lines = this.realms.get(realm)
    if (realm === "") this.#ofAll = true
    else if (lines !== undefined) lines.count++
    else if (this.realms.size < MAX_REALMS) {
      // A copy, because a part of a text keeps all of it.
      this.realms.set(Buffer.from(realm).toString(), { count: 1, first: this.#lines })
    }
  }
}

/**
 * The output of each user, of each other relay, and of strangers at each address that waits on all connections, and what is kept of
 * unfinished frames on them. Each connection has its own limits, and one of these may have thousands of them whose peers read nothing,
 * or begin a frame on each and do not go on.
 */
import { type Limits, shareOf } from "./Limits.ts"
import { userOf } from "./Session.ts"

/** Octets of output that may wait for one user before each of his connections may have less. */
export const MAX_OUTPUT_OF_USER = 8_388_608

/** Octets of an unfinished frame on one connection while those on all of them are as many as they may be. */
const MAX_FRAME = 32_768

/** The output of one user, of one relay, or of the strangers at one address. */
export class OutputLoad {
  readonly #most: () => number
  readonly #over: () => void
  #connections = 0
  /** Octets that the operating system had not taken at the end of the last turn. */
  octets = 0
  /** Octets that are kept of frames that have begun to come in. */
  kept = 0

  /** `most`: octets that may wait before each connection may have less. `over` is called when no connection counts for it any more. */
  constructor(most: () => number, over: () => void) {
    this.#most = most
    this.#over = over
  }

  /** How much of a limit of one connection applies: the more waits in all, the less may wait on each. */
  share(limit: number): number {
    return shareOf(limit, this.octets, this.#most())
  }

  /** Whether one connection may keep so many octets of an unfinished frame. */
  mayKeep(octets: number): boolean {
    return this.kept <= this.#most() || octets <= shareOf(MAX_FRAME, this.kept, this.#most())
  }

  begins(octets: number): void {
    this.#connections++
    this.octets += octets
  }

  ends(octets: number): void {
    this.octets -= octets
    if (--this.#connections === 0) this.#over()
  }
}

export class OutputLoads {
  readonly #limits: Pick<Limits, "relay">
  readonly #all = new Map<string, OutputLoad>()

  constructor(limits: Pick<Limits, "relay">) {
    this.#limits = limits
  }

  /** The number of those that have connections. */
  get size(): number {
    return this.#all.size
  }

  ofUser(user: { readonly realm: string; readonly username: string }): OutputLoad {
    return this.#of(userOf(user), () => MAX_OUTPUT_OF_USER)
  }

  /** Those who have proved themselves and belong to no user. `network`: their address, for IPv6 its network. */
  ofAddress(network: string): OutputLoad {
    return this.#of(`address ${network}`, () => MAX_OUTPUT_OF_USER)
  }

  /** `name`: the first name in the certificate of the relay. */
  ofRelay(name: string): OutputLoad {
    return this.#of(`relay ${name}`, () => this.#limits.relay)
  }

  #of(key: string, most: () => number): OutputLoad {
    const known = this.#all.get(key)
    if (known !== undefined) return known
    const one = new OutputLoad(most, () => this.#all.delete(key))
    this.#all.set(key, one)
    return one
  }
}

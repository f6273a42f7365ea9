/**
 * The AUTHs of one connection that are being decided, and whether the frames behind them wait. On a client's own connection
 * they do. On a connection of another relay they do not, because other clients have sent them; nor on one of a gateway with
 * several users, up to as many AUTHs as may fail there.
 */
import { Tally } from "../../collections/Tally.ts"
import type { MsrpUri } from "../../protocol/Uri.ts"
import type { Shared } from "../Shared.ts"
import type { Reading } from "./Reading.ts"

/** A client behind a relay may have one part in this many of the places that are left, so that others find one. */
export const CLIENT_PARTS = 8
/** AUTHs that such a client may have under way while there is any place. */
export const CLIENT_ANYWAY = 4

/** The client of a session at the relay, as that relay names it in From-Path. */
const clientOf = (relay: MsrpUri): string => relay.sessionId ?? ""

export class Logins {
  readonly #shared: Shared
  readonly #reading: Reading
  #underWay = 0
  /** Those of each client behind a relay. */
  readonly #ofClient = new Tally<string>()
  /** Lets the frames behind an AUTH continue, if they wait. */
  #goOn: () => void = () => {}

  constructor(shared: Shared, reading: Reading) {
    this.#shared = shared
    this.#reading = reading
  }

  /**
   * Whether more AUTHs are being decided, with the one that has just begun, than the limit `auths` allows, or more of the client
   * that the first URI of their From-Path names than its part.
   */
  tooMany(relay: MsrpUri): boolean {
    const left = this.#shared.limits.auths - this.#underWay
    return left < 0 || this.#ofClient.of(clientOf(relay)) > Math.max(left / CLIENT_PARTS, CLIENT_ANYWAY)
  }

  /**
   * Begins an AUTH. `decide` gets a function to call when it was answered, maybe at once. Nothing waits for the AUTH of a client
   * behind a `relay`, whose URI for that client it is.
   */
  begins(relay: MsrpUri | undefined, decide: (ended: () => void) => void): void {
    const { failedAuths } = this.#shared.limits
    const client = relay && clientOf(relay)
    const beside = client !== undefined || (this.#reading.sharing.severalUsers && this.#underWay < failedAuths)
    let ended = false
    let goOn = (): void => {}
    this.#underWay++
    if (client !== undefined) this.#ofClient.more(client)
    decide(() => {
      ended = true
      this.#underWay--
      if (client !== undefined) this.#ofClient.less(client)
      goOn()
    })
    if (ended || beside) return
    let waits = true
    goOn = this.#goOn = () => {
      if (!waits) return
      waits = false
      this.#reading.release()
      this.#reading.go()
    }
    this.#reading.stop()
    this.#reading.hold()
  }

  /** The connection is gone: what was read behind an AUTH is processed now. */
  leave(): void {
    this.#goOn()
  }
}

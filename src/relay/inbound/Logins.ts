/**
 * The AUTHs of one connection that are being decided, and whether the frames behind them wait. On a client's own connection
 * they do. On a connection of another relay they do not, because other clients have sent them; nor on one of a gateway with
 * several users, up to as many AUTHs as may fail there.
 */
import type { Shared } from "../Shared.ts"
import type { Reading } from "./Reading.ts"

export class Logins {
  readonly #shared: Shared
  readonly #reading: Reading
  #underWay = 0
  /** Lets the frames behind an AUTH continue, if they wait. */
  #goOn: () => void = () => {}

  constructor(shared: Shared, reading: Reading) {
    this.#shared = shared
    this.#reading = reading
  }

  /** Whether more AUTHs are being decided, with the one that has just begun, than the limit `auths` allows. */
  get tooMany(): boolean {
    return this.#underWay > this.#shared.limits.auths
  }

  /** Begins an AUTH. `decide` gets a function to call when it was answered, maybe at once. With `behindRelay`, nothing waits for it. */
  begins(behindRelay: boolean, decide: (ended: () => void) => void): void {
    const { failedAuths } = this.#shared.limits
    const beside = behindRelay || (this.#reading.sharing.severalUsers && this.#underWay < failedAuths)
    let ended = false
    let goOn = (): void => {}
    this.#underWay++
    decide(() => {
      ended = true
      this.#underWay--
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

/**
 * The AUTHs of one connection that are being decided, and whether what is behind them waits. On a client's own connection
 * it does; what the clients of another relay send to each other does not wait for one of them to log in, nor for many. Nor
 * does what users of a gateway send, for as many as may fail there.
 */
import type { Shared } from "../Shared.ts"
import type { Reading } from "./Reading.ts"

export class Logins {
  readonly #shared: Shared
  readonly #reading: Reading
  #underWay = 0
  /** Lets what is behind one of them go on, if it waits. */
  #goOn: () => void = () => {}

  constructor(shared: Shared, reading: Reading) {
    this.#shared = shared
    this.#reading = reading
  }

  /** More are under way, with the one that has just begun, than are decided beside the traffic at a time. */
  get tooMany(): boolean {
    return this.#underWay > this.#shared.limits.auths
  }

  /** One begins. `decide` is given what to call when it was answered, maybe at once. `behindRelay`: what is behind it goes on. */
  begins(behindRelay: boolean, decide: (ended: () => void) => void): void {
    const { failedAuths } = this.#shared.limits
    const beside = behindRelay || (this.#reading.severalUsers && this.#underWay < failedAuths)
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

  /** The connection is gone: what was read behind an AUTH is dealt with now. */
  leave(): void {
    this.#goOn()
  }
}

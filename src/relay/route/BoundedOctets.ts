/**
 * A bounded count of the octets that requests without an answer hold. Beyond the bound, requests that are answered only if
 * they fail are forgotten, the oldest first, because no answer to them probably means that they have arrived.
 */
import { LinkedMap } from "../../collections/LinkedMap.ts"
import type { Sent } from "../outbound/Window.ts"
import { stopTimer, Timeout, type TimerQueue } from "../Timers.ts"

/**
 * What is done about a bound that was exceeded, until half of it is free again:
 *
 * - `holding`: connections are not read.
 * - `refusing`: they were held in vain or may not be held, so requests are refused.
 * - `exceeding`: they are read on, because answers of their peers may be among what was not read. Two peers that send much to each
 *   other would otherwise wait for each other's answers.
 */
export type BoundState = "free" | "holding" | "refusing" | "exceeding"

export abstract class BoundedOctets {
  octets = 0
  protected state: BoundState = "free"
  /** Runs while connections are held. */
  #patience: Timeout | undefined
  /** The octets when `wait` was last called. */
  #before = 0
  #silent: LinkedMap<Sent, undefined> | undefined

  /** The bound, in octets. */
  protected abstract get most(): number
  /** Called when half of the bound is free again. */
  protected abstract relaxed(before: BoundState): void

  /** Called when connections were held for the `hold` limit. */
  protected abstract impatient(): void

  /** Calls `impatient` when the `hold` limit is over. */
  protected wait(hold: TimerQueue): void {
    this.#before = this.octets
    hold.start(this.#patience ??= new Timeout(() => this.impatient()))
  }

  protected waitNoMore(): void {
    stopTimer(this.#patience)
  }

  /** Whether the bound was exceeded, and half of it is not free again. */
  get full(): boolean {
    return this.state !== "free"
  }

  /** Whether no answers have come since the last call of `wait`. */
  protected get inVain(): boolean {
    return this.octets >= this.#before
  }

  /** Whether even the bound for connections that are read on is exceeded. */
  protected get atTwice(): boolean {
    return this.state === "exceeding" && this.octets > 2 * this.most
  }

  /** Adds octets, and returns whether the bound is exceeded. */
  protected takes(octets: number): boolean {
    this.octets += octets
    this.#makeRoom()
    return this.octets > this.most
  }

  /** A request was sent that is answered only if it fails. */
  silent(one: Sent): void {
    const silent = this.#silent ??= new LinkedMap()
    silent.set(one, undefined)
    this.#makeRoom()
  }

  #makeRoom(): void {
    const silent = this.#silent
    const most = this.full ? this.most / 2 : this.most
    while (this.octets > most && silent?.first !== undefined) silent.first.key.finish()
  }

  /** Removes the octets of a request for which no answer is expected any more. */
  remove(octets: number, one: Sent): void {
    this.octets -= octets
    this.#silent?.delete(one)
    if (!this.full || this.octets > this.most / 2) return
    const before = this.state
    this.state = "free"
    this.relaxed(before)
  }
}

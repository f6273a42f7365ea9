/**
 * A bounded count of the octets that requests without an answer hold. Beyond the bound, requests that are answered only if
 * they fail are forgotten, the oldest first, because no answer to them probably means that they have arrived.
 */
import { LinkedMap } from "../../collections/LinkedMap.ts"
import type { Sent } from "../outbound/Window.ts"

export abstract class BoundedOctets {
  octets = 0
  /** Whether the bound was exceeded, and half of it is not free again. */
  full = false
  #silent: LinkedMap<Sent, undefined> | undefined

  /** The bound, in octets. */
  protected abstract get most(): number
  /** Called when half of the bound is free again. */
  protected abstract relaxed(): void

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
    this.full = false
    this.relaxed()
  }
}

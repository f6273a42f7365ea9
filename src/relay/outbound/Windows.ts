/** The windows of one connection, one for each session whose receiver it leads to. */
import type { Loss } from "../Loss.ts"
import type { Session } from "../Session.ts"
import type { Sender, Turns } from "./Turns.ts"
import { Window, type WindowLimits, type WindowOwner } from "./Window.ts"

/** The connection. */
export interface WindowsOwner {
  readonly shared: { readonly limits: WindowLimits }
  readonly unread: boolean
  readonly waiting: Turns
  /** Nothing more goes out. */
  readonly lost: boolean
  turn(sender: Sender): void
}

export class Windows implements WindowOwner {
  readonly #owner: WindowsOwner
  readonly #all = new WeakMap<Session, Window>()
  /** Those in which somebody waits. */
  readonly #full = new Set<Window>()
  /** Octets that wait for its receivers in flows, whatever connections they came by. */
  parkedOctets = 0
  /** The last of what began to fail. */
  #failing: Iterable<void> = []

  constructor(owner: WindowsOwner) {
    this.#owner = owner
  }

  /** `relayed`: there is a relay in between. */
  of(session: Session, relayed: boolean): Window {
    const known = this.#all.get(session)
    if (known !== undefined) return known
    const window = new Window(this, relayed, this.#owner.shared.limits)
    this.#all.set(session, window)
    return window
  }

  get unread(): boolean {
    return this.#owner.unread
  }

  turn(sender: Sender): void {
    this.#owner.turn(sender)
  }

  waits(window: Window): void {
    this.#full.add(window)
  }

  waitsNoMore(window: Window): void {
    this.#full.delete(window)
  }

  /** Who waits in them writes on: what their receivers answer is not read for a while. */
  open(): void {
    for (const window of this.#full) window.open()
  }

  /** What waits in them fails, and before that what waits for its turn; one after the other, behind what began to fail before. */
  fails(loss: Loss): Iterable<void> {
    return this.#failing = this.#failsBehind([this.#failing], loss)
  }

  /** `before`: it is forgotten when it is through. */
  *#failsBehind(before: Array<Iterable<void>>, loss: Loss): Iterable<void> {
    yield* before.pop()!
    const owner = this.#owner
    do {
      for (const sender of owner.waiting.takeAll()) yield* sender.fails(loss)
      // A flow that keeps something when it fails waits in its window again: those that wait now are taken once.
      const full = [...this.#full]
      for (const window of full) yield* window.fails(loss)
      // Between the steps, one that was too fast may have gone on to wait for a turn, which never comes where that is lost.
    } while (owner.lost && !owner.waiting.empty)
  }
}

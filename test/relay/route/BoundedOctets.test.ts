/** What is forgotten when requests without an answer hold too much. */
import { assert, it } from "vitest"
import type { Sent } from "../../../src/relay/outbound/Window.ts"
import { BoundedOctets, type BoundState } from "../../../src/relay/route/BoundedOctets.ts"

const MOST = 100

class Bound extends BoundedOctets {
  readonly forgotten: Array<string> = []
  readonly relaxedFrom: Array<BoundState> = []

  protected get most(): number {
    return MOST
  }

  protected relaxed(before: BoundState): void {
    this.relaxedFrom.push(before)
  }

  protected impatient(): void {}

  /** A request begins; returns it, and whether the bound is exceeded. */
  begins(name: string, octets: number): { readonly one: Sent; readonly exceeded: boolean } {
    const finish = (): void => {
      this.forgotten.push(name)
      this.remove(octets, one)
    }
    const one: Sent = { octets: 0, at: 0, ahead: 0, sequence: 0, done: false, finish }
    return { one, exceeded: this.takes(octets) }
  }

  becomes(state: BoundState): void {
    this.state = state
  }

  get isAtTwice(): boolean {
    return this.atTwice
  }
}

it("R4976-9.3-06: the oldest request to which silence is an answer makes room, when another one begins or was sent", () => {
  const bound = new Bound()
  for (const name of ["first", "second"]) bound.silent(bound.begins(name, 50).one)
  assert.deepStrictEqual(bound.forgotten, [])
  // Until it was sent, silence is no answer to it.
  const third = bound.begins("third", 100)
  assert.isFalse(third.exceeded)
  assert.deepStrictEqual(bound.forgotten, ["first", "second"])
  const fourth = bound.begins("fourth", 1)
  assert.isTrue(fourth.exceeded)
  bound.silent(third.one)
  assert.deepStrictEqual([bound.forgotten.at(-1), bound.octets], ["third", 1])
})

it("R4976-9.3-06: while connections are held for it, as many make room as set them free", () => {
  const bound = new Bound()
  const held = bound.begins("held", 60)
  bound.silent(bound.begins("first", 20).one)
  bound.silent(bound.begins("second", 20).one)
  bound.becomes("holding")
  const last = bound.begins("last", 10)
  bound.remove(60, held.one)
  assert.deepStrictEqual([bound.forgotten, bound.octets, bound.relaxedFrom], [["first", "second"], 10, ["holding"]])
  assert.isFalse(bound.full)
  bound.remove(10, last.one)
  assert.deepStrictEqual(bound.relaxedFrom, ["holding"])
})

it("forgets no request that was answered", () => {
  const bound = new Bound()
  const { one } = bound.begins("answered", 50)
  bound.silent(one)
  bound.remove(50, one)
  assert.isTrue(bound.begins("another", MOST + 1).exceeded)
  assert.deepStrictEqual([bound.forgotten, bound.octets], [[], MOST + 1])
})

it("R4976-9.3-06: what is read on for the answers behind it may hold twice as much, and no more", () => {
  const bound = new Bound()
  bound.begins("some", 2 * MOST)
  assert.isFalse(bound.isAtTwice)
  bound.becomes("exceeding")
  assert.isFalse(bound.isAtTwice)
  bound.begins("more", 1)
  assert.isTrue(bound.isAtTwice)
})

/** How tabs find each other: on a channel that hands on what is said at once. */
import { assert, describe, it } from "vitest"
import { type Channel, MAX_TABS, Neighbours, read } from "../../../src/demo/page/neighbours.ts"

/** Everybody hears what the others say, in order. */
class Air {
  readonly #ears = new Map<object, (event: { readonly data: unknown }) => void>()
  readonly said: Array<unknown> = []
  readonly #waiting: Array<() => void> = []

  channel(): Channel {
    const key = {}
    return {
      postMessage: (data) => {
        this.said.push(data)
        for (const one of this.#ears.keys()) {
          if (one !== key) this.#waiting.push(() => this.#ears.get(one)?.({ data: structuredClone(data) }))
        }
      },
      addEventListener: (_, listener) => void this.#ears.set(key, listener),
      close: () => void this.#ears.delete(key)
    }
  }

  flow(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) next()
  }
}

class Tab {
  readonly paths = new Map<string, string>()
  readonly names = new Map<string, string>()
  readonly gone: Array<string> = []
  readonly neighbours: Neighbours
  /** Which connection it has; 0: none. */
  connection = 1
  name: string

  constructor(id: string, air: Air) {
    this.name = `name of ${id}`
    this.neighbours = new Neighbours(id, air.channel(), this)
  }

  met(id: string, name: string): void {
    this.names.set(id, name)
  }
  reached(id: string, path: string): void {
    this.paths.set(id, path)
  }
  left(id: string): void {
    this.gone.push(id)
  }
  pathFor(id: string): string {
    return this.connection === 0 ? "" : `${this.neighbours.id}→${id} ${this.connection}`
  }
}

const world = (...ids: ReadonlyArray<string>) => {
  const air = new Air()
  const tabs = ids.map((id) => {
    const tab = new Tab(id, air)
    tab.neighbours.announce()
    air.flow()
    return tab
  })
  return { air, tabs }
}

describe("neighbours", () => {
  it("each learns name and own path of each other, whoever came first, and then it is quiet", () => {
    const { air, tabs } = world("a", "b", "c")
    for (const tab of tabs) {
      const { id } = tab.neighbours
      const others = ["a", "b", "c"].filter((one) => one !== id)
      assert.deepStrictEqual([...tab.names.keys()].sort(), others)
      for (const one of others) {
        assert.strictEqual(tab.names.get(one), `name of ${one}`)
        assert.strictEqual(tab.paths.get(one), `${one}→${id} 1`)
      }
    }
    assert.isBelow(air.said.length, 12)
  })

  it("another connection is another path, none is none, another name is told", () => {
    const { air, tabs: [a, b] } = world("a", "b")
    a!.connection = 0
    a!.neighbours.announce()
    air.flow()
    assert.strictEqual(b!.paths.get("a"), "")
    assert.strictEqual(a!.paths.get("b"), "b→a 1")
    Object.assign(a!, { connection: 2, name: "Alice" })
    a!.neighbours.announce()
    air.flow()
    assert.strictEqual(b!.paths.get("a"), "a→b 2")
    assert.strictEqual(b!.names.get("a"), "Alice")
  })

  it("who leaves is gone once, whether he says so or is missed; he hears and says nothing more", () => {
    const { air, tabs: [a, b, c] } = world("a", "b", "c")
    a!.neighbours.close()
    a!.neighbours.close()
    air.flow()
    b!.neighbours.forget("a")
    assert.deepStrictEqual([b!.gone, c!.gone], [["a"], ["a"]])
    const { length } = air.said
    a!.neighbours.announce()
    assert.lengthOf(air.said, length)
    b!.neighbours.forget("c")
    assert.deepStrictEqual(b!.gone, ["a", "c"])
  })

  it("no more are known than there may be", () => {
    const { tabs } = world(...Array.from({ length: MAX_TABS + 3 }, (_, i) => `tab${i}`))
    assert.strictEqual(tabs[0]!.names.size, MAX_TABS)
  })

  it("what is no such thing is not heard", () => {
    const good = { kind: "here" as const, id: "a", name: "Alice", paths: { b: "path" } }
    assert.deepStrictEqual(read(good), good)
    const bad = [
      undefined,
      null,
      "here",
      [],
      {},
      { ...good, kind: "there" },
      { ...good, id: "" },
      { ...good, id: "x".repeat(65) },
      { ...good, name: "" },
      { ...good, name: "\u0000\u2028 " },
      { ...good, name: "x".repeat(81) },
      { ...good, name: 1 },
      { ...good, paths: null }
    ]
    for (const one of bad) assert.isUndefined(read(one), JSON.stringify(one))
    const paths = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`t${i}`, "p"]))
    const many = read({ ...good, paths: { a: 1, b: "x".repeat(2049), ...paths } })
    assert.isTrue(many?.kind === "here" && Object.keys(many.paths).length === MAX_TABS - 1)
  })
})

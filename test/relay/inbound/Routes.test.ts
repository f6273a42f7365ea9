import { assert, it } from "@effect/vitest"
import { Routes } from "../../../src/relay/inbound/Routes.ts"
import type { Route } from "../../../src/relay/route/Route.ts"

/** What is asked of a route here. */
const routeOf = (idle = true) => {
  const state = { closed: 0 }
  return [{ flow: { idle }, close: () => state.closed++ } as unknown as Route, state] as const
}

it("R4976-9.3-06: a connection may name any number of paths of any length, and does not make the relay hold them all", () => {
  const routes = new Routes()
  const [busy] = routeOf(false)
  const [streaming] = routeOf()
  routes.add("busy", busy, undefined)
  routes.add("streaming", streaming, undefined)
  for (let i = 0; i < 5000; i++) {
    routes.add(String(i).padEnd(15_000, "x"), routeOf()[0], streaming)
    assert.isAtMost(routes.octets, 1_048_576)
  }
  assert.strictEqual(routes.get("busy"), busy)
  assert.strictEqual(routes.get("streaming"), streaming)
  assert.isDefined(routes.get("4999".padEnd(15_000, "x")))
})

it("R4976-9.3-06: no more than 1024 routes are remembered, however short, and those forgotten or replaced are closed", () => {
  const routes = new Routes()
  const [first, firstState] = routeOf()
  routes.add("a", first, undefined)
  const [second, secondState] = routeOf()
  routes.add("a", second, undefined)
  assert.deepStrictEqual([firstState.closed, routes.octets, routes.get("a")], [1, 1, second])
  for (let i = 0; i < 1023; i++) routes.add(String(i), routeOf()[0], undefined)
  assert.strictEqual(routes.get("a"), second)
  routes.add("one more", routeOf()[0], undefined)
  assert.isUndefined(routes.get("a"))
  assert.strictEqual(secondState.closed, 1)
  routes.close()
  assert.strictEqual(routes.octets, 0)
})

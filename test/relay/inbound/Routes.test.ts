import { assert, it } from "@effect/vitest"
import { type Head, Kind } from "../../../src/protocol/Head.ts"
import { MAX_OCTETS_OF_USER, pathsOf, Routes } from "../../../src/relay/inbound/Routes.ts"
import type { Route } from "../../../src/relay/route/Route.ts"
import type { Session } from "../../../src/relay/Session.ts"

/** What is asked of a route here. */
const routeOf = (idle = true, octets = 1, user = { routeOctets: 0 }, ...sessions: ReadonlyArray<Session>) => {
  const state = { closed: 0 }
  return [{ flow: { idle }, octets, user, sessions, close: () => state.closed++ } as unknown as Route, state] as const
}

it("R4976-9.3-06: a connection may name any number of paths of any length, and does not make the relay hold them all", () => {
  const routes = new Routes()
  const [busy] = routeOf(false)
  const [streaming] = routeOf()
  routes.add("busy", busy, undefined)
  routes.add("streaming", streaming, undefined)
  for (let i = 0; i < 5000; i++) {
    routes.add(String(i), routeOf(true, 31_000)[0], streaming)
    assert.isAtMost(routes.octets, 3_145_728)
  }
  assert.strictEqual(routes.get("busy"), busy)
  assert.strictEqual(routes.get("streaming"), streaming)
  assert.isDefined(routes.get("4999"))
})

it("R4976-9.3-06: no more than 1024 routes are remembered, however short, and those forgotten or replaced are closed", () => {
  const routes = new Routes()
  const [first, firstState] = routeOf()
  routes.add("a", first, undefined)
  const [second, secondState] = routeOf()
  routes.add("a", second, undefined)
  assert.deepStrictEqual([firstState.closed, routes.octets, routes.get("a")], [1, 2049, second])
  for (let i = 0; i < 1023; i++) routes.add(String(i), routeOf()[0], undefined)
  assert.strictEqual(routes.get("0")?.flow.idle, true)
  routes.add("one more", routeOf()[0], undefined)
  assert.isUndefined(routes.get("a"))
  assert.strictEqual(secondState.closed, 1)
  assert.isDefined(routes.get("0"))
  routes.add("and another", routeOf()[0], undefined)
  assert.isUndefined(routes.get("1"), "0 was used since")
  assert.isDefined(routes.get("0"))
  for (const _ of routes.closes());
  assert.strictEqual(routes.octets, 0)
})

it("R4976-9.3-06: the limit follows the sessions, so that those of many clients behind one relay are all remembered", () => {
  const routes = new Routes()
  const session = (): Session => ({}) as Session
  for (let i = 0; i < 5000; i++) routes.add(`session ${i}`, routeOf(true, 1000, undefined, session())[0], undefined)
  for (let i = 0; i < 5000; i++) assert.isDefined(routes.get(`session ${i}`))
  const one = session()
  const many = new Routes()
  for (let i = 0; i < 5000; i++) many.add(`path ${i}`, routeOf(true, 1000, undefined, one)[0], undefined)
  assert.isUndefined(many.get("path 0"))
  assert.isDefined(many.get(`path ${5000 - 1024}`))
  // Sessions whose routes were replaced do not count any more.
  const replaced = new Routes()
  for (let i = 0; i < 5000; i++) replaced.add("same", routeOf(true, 1000, undefined, session())[0], undefined)
  for (let i = 0; i < 5000; i++) replaced.add(`path ${i}`, routeOf(true, 1000, undefined, one)[0], undefined)
  assert.isUndefined(replaced.get(`path ${5000 - 1025}`))
  for (const _ of routes.closes());
  assert.strictEqual(routes.octets, 0)
})

it("R4976-9.3-06: the routes of one user on all connections together have a limit, beyond some routes for each session", () => {
  const user = { routeOctets: 0 }
  const all = Array.from({ length: 200 }, () => {
    const routes = new Routes()
    const session = {} as Session
    for (let i = 0; i < 200; i++) routes.add(`path ${i}`, routeOf(true, 700, user, session)[0], undefined)
    for (let i = 197; i < 200; i++) assert.isDefined(routes.get(`path ${i}`))
    return routes
  })
  assert.isAtMost(user.routeOctets, MAX_OCTETS_OF_USER + all.length * 16_384)
  assert.isDefined(all[0]!.get("path 0"))
  assert.isUndefined(all.at(-1)!.get("path 0"))
  // Who has all that takes nothing from others.
  const routes = new Routes()
  for (let i = 0; i < 200; i++) routes.add(`path ${i}`, routeOf(true, 700)[0], undefined)
  assert.isDefined(routes.get("path 0"))
  for (const one of all) for (const _ of one.closes());
  assert.strictEqual(user.routeOctets, 0)
})

it("R4976-9.3-06: a route with long paths is found by a hash of them, which takes no memory for them again", () => {
  const keyOf = (kind: Kind, toPath: string, fromPath: string) => pathsOf({ kind, toPath, fromPath } as Head)
  const long = "msrp://a.example:9/x;tcp ".repeat(300)
  const keys = [Kind.Send, Kind.Auth].flatMap((kind) => [
    keyOf(kind, "a", "b"),
    keyOf(kind, "a", long),
    keyOf(kind, long, "a"),
    keyOf(kind, `${long}a`, "a")
  ])
  assert.strictEqual(new Set(keys).size, keys.length)
  for (const key of keys) assert.isBelow(key.length, 100)
  assert.strictEqual(keyOf(Kind.Send, long, "a"), keyOf(Kind.Report, long, "a"))
})

it("a new route is not removed, whatever it takes and however few others can be removed for it", () => {
  const user = { routeOctets: MAX_OCTETS_OF_USER }
  const session = {} as Session
  const routes = new Routes()
  const [streaming, streamingState] = routeOf(true, 17_000, user, session)
  const [long, longState] = routeOf(true, 17_000, user, session)
  routes.add("streaming", streaming, undefined)
  routes.add("long", long, streaming)
  assert.deepStrictEqual([streamingState.closed, longState.closed], [0, 0])
  assert.deepStrictEqual([routes.get("streaming"), routes.get("long")], [streaming, long])
})

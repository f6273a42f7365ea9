/** Where the demo page is. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Env, parse, problemsOf, remote, users } from "./environment.ts"

/** Ports of the listeners that are for WebSockets, and whether there is a page, and a demo user. */
const demoOf = (env: Env) =>
  Effect.map(parse(env), ({ demo, demoPage, relay, transport }) => {
    assert.strictEqual(transport.webSocket?.serve !== undefined, demoPage)
    const ports = relay.listen.flatMap(({ port, transport }) => transport === "ws" ? [port] : [])
    return [demoPage, demo !== undefined, [...new Set(ports)]]
  })

describe("the demo page", () => {
  it.effect.each<readonly [string, Env, boolean, boolean, ReadonlyArray<number>]>([
    ["is there without configuration", {}, true, true, [2857]],
    ["is there with settings about something else", { MSRP_LOG_LEVEL: "debug" }, true, true, [2857]],
    ["beside an admin API at another port", { MSRP_ADMIN: "127.0.0.1:2858" }, true, true, [2857]],
    ["leaves its port to the admin API", { MSRP_ADMIN: "127.0.0.1:2857" }, false, true, []],
    ["is turned off, and its listener with it", { MSRP_DEMO: "off" }, false, true, []],
    ["is not there once there are users", users, false, false, []],
    ["is not there for a relay for others", remote, false, false, []],
    ["is not there because there is a WebSocket listener", { ...users, MSRP_LISTEN: "ws:127.0.0.1:80" }, false, false, [
      80
    ]],
    ["is asked for, with own users", { ...users, MSRP_DEMO: "on" }, true, false, [2857]],
    [
      "is asked for, at another port, with a demo user",
      { MSRP_LISTEN: "ws:localhost:80", MSRP_DEMO: "on" },
      true,
      true,
      [80]
    ],
    [
      "is asked for beside listeners for others",
      {
        ...users,
        MSRP_URIS: "msrp://relay.example.com;tcp",
        MSRP_LISTEN: "msrp:0.0.0.0:1,ws:127.0.0.1:80",
        MSRP_DEMO: "on"
      },
      true,
      false,
      [80]
    ]
  ])("%s", ([, env, page, user, ports]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* demoOf(env), [page, user, ports])
    }))

  it.effect.each<readonly [string, Env, string]>([
    ["no listener on loopback", { ...remote, MSRP_DEMO: "on" }, "MSRP_DEMO"],
    ["a listener for everybody", {
      ...users,
      MSRP_URIS: "msrp://a.example;tcp",
      MSRP_LISTEN: "ws:0.0.0.0:80",
      MSRP_DEMO: "on"
    }, "MSRP_DEMO"],
    ["its port taken by the admin API", { MSRP_DEMO: "on", MSRP_ADMIN: "127.0.0.1:2857" }, "MSRP_DEMO"],
    [
      "no users, where others get to the relay",
      { MSRP_URIS: "msrp://a.example;tcp", MSRP_LISTEN: "msrp:0.0.0.0:1,ws:127.0.0.1:80", MSRP_DEMO: "on" },
      "MSRP_USERS"
    ],
    ["a backend without users", { MSRP_DEMO: "on", MSRP_CREDENTIALS: "memory" }, "MSRP_USERS"]
  ])("is a problem with %s", ([, env, variable]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(Object.keys(yield* problemsOf(env)), [variable])
    }))
})

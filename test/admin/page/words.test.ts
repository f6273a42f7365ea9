import { readFileSync } from "node:fs"
import { assert, describe, it } from "vitest"
import { detailsOf, endings, logins, losses, sentenceOf, troubles as words } from "../../../src/admin/page/words.ts"
import { troubles } from "../../../src/admin/status/Readings.ts"
import type { StatusEvent } from "../../../src/admin/status/Shapes.ts"
import { connectionEnds } from "../../../src/relay/Counters.ts"
import { eventMessages } from "../../../src/relay/edge/RelayEvent.ts"
import { sessionEnds } from "../../../src/relay/Session.ts"

const event = (message: string, fields: StatusEvent["fields"], level: StatusEvent["level"] = "Info"): StatusEvent => ({
  time: 0,
  level,
  message,
  fields
})

const told = (message: string, fields: StatusEvent["fields"]) => sentenceOf(event(message, fields)).text

describe("the words of the status page", () => {
  it("say why something is over", () => {
    assert.strictEqual(
      told("session ended", { reason: "expired", seconds: 61 }),
      "Session ended after 1 min 1 s: it expired because the client did not renew it"
    )
    assert.strictEqual(
      told("session ended", { reason: "its connection closed", connectionEnd: "failed: ECONNRESET", seconds: 5 }),
      "Session ended after 5 s: the network failed (ECONNRESET)"
    )
    assert.strictEqual(
      told("connection ended", { reason: "takes no octets", seconds: 5 }),
      "Connection ended after 5 s: the client accepted no data for too long: its network is stuck, or it is gone"
    )
    assert.strictEqual(
      told("connection ended", { reason: "failed: EPIPE", seconds: 5 }),
      "Connection ended after 5 s: the network failed (EPIPE)"
    )
  })

  it("say why something did not work: by the reason, else by the status, else as the relay says it", () => {
    assert.strictEqual(
      told("login failed", { status: 401, reason: "wrong credentials", times: 3 }),
      "Could not log in: the password (or the user name) is wrong (3 times)"
    )
    assert.strictEqual(
      told("login failed", { status: 403, reason: "a new reason" }),
      "Could not log in: it is not allowed"
    )
    assert.strictEqual(told("login failed", { status: 499, reason: "a new reason" }), "Could not log in: a new reason")
    assert.strictEqual(told("login failed", {}), "Could not log in")
    assert.strictEqual(
      told("dial failed", {
        target: "msrps://b.example:1",
        reason: "nobody listens there"
      }),
      "Could not connect to msrps://b.example:1: nobody listens there"
    )
    assert.strictEqual(
      told("request refused", { method: "SEND", status: 481 }),
      "A message was refused: there is no such session (any more)"
    )
  })

  it("tell of a message for the user whose side it failed on", () => {
    const slow = { status: 408, reason: "its receiver takes nothing" }
    assert.strictEqual(
      told("message not delivered", { ...slow, direction: "sent" }),
      "A message did not arrive: the other side accepts no data"
    )
    assert.strictEqual(
      told("message not delivered", { ...slow, direction: "received" }),
      "A message for this user did not arrive: this user's side accepts no data"
    )
    assert.strictEqual(
      told("request refused", { method: "SEND", status: 481, direction: "received" }),
      "A message for this user was refused: there is no such session (any more)"
    )
    assert.strictEqual(
      told("message not delivered", { status: 415, direction: "received" }),
      "A message for this user did not arrive: this user's side cannot show that kind of content"
    )
  })

  it("are there for each reason of a failure in docs/log.md: those of its status may tell something else", () => {
    const document = readFileSync(new URL("../../../docs/log.md", import.meta.url), "utf8")
    const reasonsIn = (title: string): ReadonlyArray<string> => {
      const [section] = document.split(`### ${title}\n`)[1]!.split(/^#/m)
      const rows = section!.split("\n").filter((line) => line.startsWith("| ")).map((line) => line.split("|")[1]!)
      return rows.flatMap((row) => Array.from(row.matchAll(/`([^`]+)`/g), ([, reason]) => reason!))
    }
    const [failed, refused, lost] = ["a login failed", "a request was refused", "a message did not arrive"].map((
      what
    ) => reasonsIn(`Why ${what}`))
    assert.isAbove(failed!.length, 12)
    assert.deepStrictEqual(failed!.filter((reason) => !Object.hasOwn(logins, reason)), [])
    assert.isAbove(refused!.length, 7)
    assert.isAbove(lost!.length, 7)
    assert.deepStrictEqual([...refused!, ...lost!].filter((reason) => !Object.hasOwn(losses, reason)), [])
    assert.strictEqual(
      told("login failed", { status: 408, reason: "the relay drains" }),
      "Could not log in: this relay is being taken out of service"
    )
  })

  it("are the relay's own for what the page does not know, whatever its name", () => {
    assert.strictEqual(told("something new", { reason: "of a kind" }), "something new: of a kind")
    assert.strictEqual(told("toString", { reason: "constructor", status: "valueOf" }), "toString: constructor")
    assert.strictEqual(sentenceOf(event("something new", {}, "Warn")).tone, "fault")
    assert.strictEqual(sentenceOf(event("session ended", { failures: 2 })).tone, "fault")
    assert.strictEqual(sentenceOf(event("session ended", { failures: 0 })).tone, "calm")
  })

  it("give what helps to find it in the log", () => {
    const fields = {
      user: "alice",
      remote: "192.0.2.1:4",
      session: "1a2b3c4d5e6f",
      status: 408,
      reason: "no answer in time"
    }
    assert.strictEqual(
      detailsOf(event("message not delivered", fields), true),
      "alice · 192.0.2.1:4 · status 408 · “no answer in time” · session 1a2b3c4d5e6f"
    )
    assert.strictEqual(
      detailsOf(
        event("session ended", { octetsSent: 1500, octetsReceived: 20, reason: "expired", kinds: "SEND 481: 2" }),
        false
      ),
      "sent 1.5 kB, received 20 B · failed: SEND 481: 2"
    )
    assert.strictEqual(
      detailsOf(
        event("connection ended", { reason: "request for another relay", target: "msrp://a.example:1" }),
        false
      ),
      "addressed msrp://a.example:1 · “request for another relay”"
    )
  })

  it("are there for everything that is counted", () => {
    assert.deepStrictEqual(Object.keys(words), [...troubles])
  })

  it("are there for everything that the relay tells, and for every reason why it ends something", () => {
    assert.deepStrictEqual(eventMessages.filter((message) => told(message, {}) === message), [])
    // What the network says stands behind "failed", and has words of its own.
    const reasons = [...connectionEnds, ...sessionEnds].filter((reason) => reason !== "failed")
    assert.deepStrictEqual(reasons.filter((reason) => !Object.hasOwn(endings, reason)), [])
  })
})

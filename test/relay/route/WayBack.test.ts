import { assert, it } from "@effect/vitest"
import { defaultFrameLimits } from "../../../src/protocol/FrameLimits.ts"
import type { Head } from "../../../src/protocol/Head.ts"
import { parseUri } from "../../../src/protocol/Uri.ts"
import { defaultRelayLimits, limitsWith } from "../../../src/relay/Limits.ts"
import type { Sent } from "../../../src/relay/outbound/Window.ts"
import { type CountedSource, Unanswered } from "../../../src/relay/route/Unanswered.ts"
import { UserLoad } from "../../../src/relay/route/UserLoad.ts"
import { WayBack } from "../../../src/relay/route/WayBack.ts"
import { Timers } from "../../../src/relay/Timers.ts"

/** The way back to a client, without a connection. */
const make = () => {
  const timers = new Timers(() => 0, () => {})
  const limits = limitsWith(timers, defaultRelayLimits)
  const shared = { codec: { limits: defaultFrameLimits }, limits }
  const source = { shared, gone: false, shut: false, reading: { sharing: {} } } as unknown as CountedSource
  const unanswered = new Unanswered(source)
  const user = new UserLoad(limits)
  const uri = (text: string) => parseUri(`msrp://${text};tcp`)!
  const wayBack = new WayBack({
    source: Object.assign(source, { unanswered }),
    own: [uri("relay.example.com:2855/s")],
    rest: [uri("bob.invalid:9/b")],
    from: [uri("alice.invalid:9/a")],
    user,
    fromRelay: false,
    reportHop: undefined,
    parties: { sender: undefined, receiver: undefined }
  })
  const stops = (messageId: string) => wayBack.stops({ failureReport: "yes", messageId } as Head)
  return { stops, timers, unanswered, user, wayBack }
}

it("R4975-10.5-01: a message is stopped until its last chunk has come; then it may be sent anew", () => {
  const { stops, timers, wayBack } = make()
  wayBack.block("m.1", "refused")
  assert.deepStrictEqual([stops("m.1"), stops("m.2")], ["refused", undefined])
  wayBack.ends("m.1")
  assert.isUndefined(stops("m.1"))
  assert.strictEqual(timers.running, 0)
})

it("R4975-10.5-01: a message that has ended is not stopped by a late refusal; one of the same id that follows is", () => {
  const { stops, wayBack } = make()
  wayBack.ends("m.1")
  wayBack.block("m.1", "late")
  assert.isUndefined(stops("m.1"))
  wayBack.block("m.1", "of the new one")
  assert.strictEqual(stops("m.1"), "of the new one")
})

it("R4976-9.3-06: nothing is remembered of stopped messages when no further request comes", () => {
  const { stops, timers, wayBack } = make()
  wayBack.block("m.1", "refused")
  wayBack.close()
  wayBack.block("m.2", "refused")
  assert.deepStrictEqual([stops("m.1"), stops("m.2"), timers.running], [undefined, undefined, 0])
})

it("R4976-9.3-06: a request that its user had to forget is not remembered for its connection", () => {
  const { unanswered, user, wayBack } = make()
  let finished = 0
  const one: Sent = {
    octets: 0,
    at: 0,
    ahead: 0,
    sequence: 0,
    done: false,
    finish: () => {
      finished++
      Object.assign(one, { done: true })
      wayBack.ended(one)
    }
  }
  wayBack.began()
  user.add(defaultRelayLimits.unansweredOfUser, undefined)
  wayBack.silent(one)
  assert.strictEqual(finished, 1)
  // The connection is gone, so only what is remembered could make room.
  unanswered.source = undefined
  unanswered.add(2 * defaultRelayLimits.unanswered)
  assert.strictEqual(finished, 1)
})

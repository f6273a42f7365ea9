import { assert, it } from "@effect/vitest"
import { keepFrame, readAgain } from "../../../src/relay/route/KeptFrame.ts"
import { RetryBuffer } from "../../../src/relay/route/RetryBuffer.ts"
import type { Route } from "../../../src/relay/route/Route.ts"
import { Timers } from "../../../src/relay/Timers.ts"
import { CRLF2, request, send } from "../../support/frames.ts"

const make = (isThere = true) => {
  let now = 0
  const timers = new Timers(() => now, () => {})
  const transaction = timers.queue(30_000)
  const counts = [{ retryBuffers: 0 }, { retryBuffers: 0 }] as const
  /** What was sent on the other connection: the transaction ids. */
  const again: Array<string> = []
  const next = {
    flow: { parkFrame: ({ transactionId }: { transactionId: string }) => void again.push(transactionId) }
  } as unknown as Route
  const policy = {
    keeps: true,
    count: 0,
    next: next as Route | undefined,
    accepted: () => void policy.count++,
    elsewhere: () => policy.next
  }
  const begin = () => {
    const wayBack = { isThere, retry: undefined as RetryBuffer | undefined }
    const route = { target: { shared: { limits: { transaction } } }, wayBack, moved: () => {} } as unknown as Route
    return { buffer: wayBack.retry = new RetryBuffer(route, policy, counts), wayBack }
  }
  const all = () => [counts[0].retryBuffers, counts[1].retryBuffers, timers.running]
  const pass = (millis: number) => {
    now += millis
    timers.expire()
  }
  return { again, all, begin, pass, policy }
}

const PATHS = { to: "msrp://a.example.com:2855/a;tcp", from: "msrp://b.invalid:9/b;tcp" }
const keep = (buffer: RetryBuffer, octets: Buffer): void => {
  const head = readAgain(octets)
  const bodyEnd = octets.indexOf(CRLF2) + 4 + 2
  buffer.keep(head, bodyEnd, "$")
  assert.deepStrictEqual(keepFrame(head, bodyEnd), octets)
}
/** Two octets of the message `m`. */
const part = (id: string, start: number, failureReport?: string): Buffer =>
  send({ ...PATHS, id, messageId: "m", range: `${start}-${start + 1}/*`, body: "hi", failureReport })
const piece = (start: number) => ({ messageId: "m", start, length: 2 }) as never

it("R4976-9.3-06: a retry buffer counts for its connection and its user until it is closed, accepted or 30 seconds old", () => {
  const { all, begin, pass, policy } = make()
  const buffers = [begin().buffer, begin().buffer, begin().buffer]
  assert.deepStrictEqual(all(), [3, 3, 3])
  buffers[0]!.close()
  buffers[0]!.close()
  assert.deepStrictEqual(all(), [2, 2, 2])
  buffers[1]!.heard(100)
  buffers[1]!.heard(200)
  buffers[1]!.heard(200)
  assert.deepStrictEqual([...all(), policy.count], [1, 1, 1, 1])
  pass(30_000)
  assert.deepStrictEqual(all(), [0, 0, 0])
})

it("R4976-6.4.2-08: requests that the next hop refused first are sent again, and its other answers to them are dropped once each", () => {
  const { again, all, begin } = make()
  const { buffer, wayBack } = begin()
  // The relay would not have answered this one if it had taken it.
  keep(buffer, part("id.0", 1, "no"))
  keep(buffer, part("id.1", 3))
  keep(buffer, part("id.2", 5))
  assert.isTrue(buffer.absorbsFailure(piece(3), 481))
  assert.deepStrictEqual([again, all()], [["id.0", "id.1", "id.2"], [0, 0, 0]])
  const retry = wayBack.retry!
  assert.notStrictEqual(retry, buffer)
  assert.deepStrictEqual([1, 1, 3, 5, 5].map((start) => retry.absorbsFailure(piece(start), 481)), [
    true,
    false,
    false,
    true,
    false
  ])
})

it("R4976-6.4.2-08: nothing is sent again behind a request that was not refused, nor for a sender that is gone, nor if there is nowhere to", () => {
  for (const why of ["accepted", "gone", "nowhere", "other"]) {
    const { again, begin, policy } = make(why !== "gone")
    const { buffer, wayBack } = begin()
    if (why === "nowhere") policy.next = undefined
    if (why === "accepted") keep(buffer, part("id.0", 1))
    keep(buffer, part("id.1", 3))
    keep(buffer, part("id.2", 5))
    assert.isFalse(buffer.absorbsFailure(piece(3), why === "other" ? 403 : 481))
    assert.deepStrictEqual(again, [])
    const isClosed = why === "accepted" || why === "nowhere"
    assert.strictEqual(wayBack.retry, isClosed ? undefined : buffer)
    if (why !== "other") continue
    // What was answered is not sent with the others.
    assert.isTrue(buffer.absorbsFailure(piece(5), 481))
    assert.deepStrictEqual(again, ["id.2"])
  }
})

it("R4976-6.4.2-08: a request other than SEND is known by its transaction id", () => {
  const { again, begin } = make()
  const { buffer } = begin()
  const octets = request("NICKNAME", { ...PATHS, id: "nick1", headers: ["Content-Type: text/plain"], body: "hi" })
  keep(buffer, octets)
  assert.isFalse(buffer.absorbsAnswer("nick2", 481))
  assert.isTrue(buffer.absorbsAnswer("nick1", 481))
  assert.deepStrictEqual(again, ["nick1"])
})

it("R4976-9.3-06: a retry buffer keeps few octets, and few requests however small they are", () => {
  const { begin } = make()
  const { buffer, wayBack } = begin()
  let kept = 0
  for (; wayBack.retry !== undefined; kept++) keep(buffer, part(`id.${kept}`, 1))
  assert.isAtMost(kept, 16_384 / (256 + part("id.0", 1).length) + 1)
})

import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as Tls from "node:tls"
import { makeDuplexes } from "../../src/Transport.ts"
import { MAX_UNTAKEN, TlsAnswers } from "../../src/transport/TlsAnswers.ts"
import { localhost } from "../support/pki.ts"
import { pattern, poll } from "../support/Recorder.ts"
import { plainClient, plainServer } from "./plain.ts"

/** A TLS socket, of which it can be said what has come in below it, and what waits there. */
const socket = Effect.gen(function*() {
  const below = { bytesRead: 0, writeQueueSize: 0 }
  let made: Tls.TLSSocket | undefined
  const port = yield* plainServer((raw) => void (made = new Tls.TLSSocket(raw, { isServer: true })))
  yield* plainClient(port)
  yield* poll(() => made !== undefined)
  const stream = made!
  let data = 0
  Object.defineProperty(stream, "bytesRead", { get: () => data })
  const { _handle } = stream as unknown as { readonly _handle: { readonly _parent: object } }
  for (const name of ["bytesRead", "writeQueueSize"] as const) {
    Object.defineProperty(_handle._parent, name, { get: () => below[name] })
  }
  const comes = (octets: number, more = 0): void => {
    data += octets
    below.bytesRead += octets + more
  }
  return { below, comes, stream }
})

describe("what TLS answers by itself", () => {
  it.effect("is too much when its peer takes none of it, and not while he does", () =>
    Effect.gen(function*() {
      const { below, comes, stream } = yield* socket
      const answers = new TlsAnswers(stream)
      assert.isFalse(answers.tooMany())
      comes(0, 2 * MAX_UNTAKEN)
      assert.isFalse(answers.tooMany())
      below.writeQueueSize = 1
      comes(10 * MAX_UNTAKEN, MAX_UNTAKEN)
      assert.isFalse(answers.tooMany())
      answers.flushed()
      comes(0, 1)
      assert.isFalse(answers.tooMany())
      comes(0, MAX_UNTAKEN + 1)
      assert.isTrue(answers.tooMany())
    }))

  it.effect("R4976-9.3-06: who takes none of it is gone within seconds, whatever data he sends beside", () =>
    Effect.gen(function*() {
      const { open } = yield* makeDuplexes
      const ends: Array<string | undefined> = []
      const accepts = () => ({ bytes: () => {}, closed: (failure?: string) => void ends.push(failure) })
      const [bad, good] = [yield* socket, yield* socket]
      for (const { stream } of [bad, good]) open(stream, { inbound: true }, accepts)
      for (const one of [bad, good]) {
        yield* TestClock.adjust("5 seconds")
        one.below.writeQueueSize = 1
      }
      bad.comes(MAX_UNTAKEN, MAX_UNTAKEN + 1)
      good.comes(MAX_UNTAKEN, MAX_UNTAKEN)
      yield* TestClock.adjust("5 seconds")
      yield* poll(() => ends.length > 0)
      assert.deepStrictEqual([ends, bad.stream.destroyed, good.stream.destroyed], [["ERR_TLS_ANSWERS"], true, false])
    }))

  it.effect("is told from data by what Node knows of its sockets", () =>
    Effect.gen(function*() {
      const sent = pattern(100_000)
      let received = 0
      let server: Tls.TLSSocket | undefined
      const port = yield* plainServer((raw) => {
        server = new Tls.TLSSocket(raw, { isServer: true, cert: localhost.cert, key: Redacted.value(localhost.key) })
        server.on("error", () => {})
        server.on("data", (octets: Buffer) => void (received += octets.length))
      })
      const { socket: raw } = yield* plainClient(port)
      const client = Tls.connect({ socket: raw, rejectUnauthorized: false })
      client.write(sent)
      yield* poll(() => received === sent.length)
      const { beside } = new TlsAnswers(server!)
      assert.strictEqual(beside, raw.bytesWritten - sent.length)
      assert.isAbove(beside!, 100)
    }))
})

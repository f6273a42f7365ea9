/** What the log says of handshakes that come to nothing. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Net from "node:net"
import { detailBounds } from "../../src/logging/LineBudget.ts"
import { Transport } from "../../src/Transport.ts"
import { RefusalLog } from "../../src/transport/RefusalLog.ts"
import { tlsWords } from "../../src/transport/TlsFault.ts"
import { logInto } from "../support/log.ts"
import { localhost } from "../support/pki.ts"
import { poll } from "../support/Recorder.ts"

/** The lines of what is done. */
const logged = Effect.fnUntraced(function*<E, R>(
  level: "Debug" | "Info",
  play: (lines: ReadonlyArray<string>) => Effect.Effect<void, E, R>
) {
  const lines: Array<string> = []
  const logger = logInto(lines)
  yield* play(lines).pipe(
    Effect.provide(logger),
    Effect.provideService(References.MinimumLogLevel, level)
  )
  return lines
})

describe("RefusalLog", () => {
  it("has words for what OpenSSL says most, and the code", () => {
    const error = (code: string) => Object.assign(new Error("no words of others"), { code })
    assert.strictEqual(tlsWords(error("ERR_SSL_HTTP_REQUEST")), "HTTP instead of TLS (ERR_SSL_HTTP_REQUEST)")
    assert.strictEqual(tlsWords(error("ECONNRESET")), "the other side has cut the connection (ECONNRESET)")
    assert.strictEqual(tlsWords(error("ERR_SSL_SOMETHING_NEW")), "ERR_SSL_SOMETHING_NEW")
  })

  it.effect("logs at debug level, so many lines of an address at once", () =>
    Effect.gen(function*() {
      const flood = Effect.fnUntraced(function*() {
        const log = new RefusalLog("tls")
        for (let i = 0; i < 1000; i++) yield* log.tell({ host: "2001:db8::1", port: i }, "why")
        yield* log.tell({ host: "192.0.2.1", port: 1 }, "why")
      })
      const lines = yield* logged("Debug", flood)
      assert.lengthOf(lines, detailBounds.addressBurst + 1)
      assert.match(lines[0]!, /level=debug .*message="TLS handshake failed" remote=\[2001:db8::1\]:0 reason=why$/i)
      assert.deepStrictEqual(yield* logged("Info", flood), [])
    }))

  it.live("says of one who speaks HTTP that he does, and of one who leaves that he left", () =>
    Effect.gen(function*() {
      const lines = yield* logged("Debug", (lines) =>
        Effect.gen(function*() {
          const { listen } = yield* Transport
          const { port } = yield* listen(
            { scheme: "msrps", host: "127.0.0.1", port: 0 },
            () => ({ bytes: () => {}, closed: () => {} })
          )
          const http = Net.connect({ port, host: "127.0.0.1" }, () => void http.write("GET / HTTP/1.1\r\n\r\n"))
          http.on("error", () => {})
          yield* poll(() => lines.length === 1)
          http.destroy()
          const quiet = Net.connect({ port, host: "127.0.0.1" }, () => void quiet.destroy())
          yield* poll(() => lines.length === 2)
        }).pipe(Effect.scoped, Effect.provide(Transport.layerNode({ tls: localhost }))))
      assert.match(lines[0]!, /remote=127\.0\.0\.1:\d+ reason="HTTP instead of TLS \(ERR_SSL_HTTP_REQUEST\)"/)
      assert.match(lines[1]!, /remote=127\.0\.0\.1:\d+ reason=/)
    }))
})

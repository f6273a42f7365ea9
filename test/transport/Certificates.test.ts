import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { X509Certificate } from "node:crypto"
import type * as Net from "node:net"
import * as Tls from "node:tls"
import {
  type ConnectOptions,
  type KeyPair,
  type LocalSocket,
  type NodeOptions,
  type TlsOptions,
  Transport,
  type TransportError
} from "../../src/Transport.ts"
import { dnsNames } from "../../src/transport/PeerCertificate.ts"
import { logInto } from "../support/log.ts"
import {
  ca,
  commonNameOnly,
  expired,
  issueFor,
  localhost,
  otherLocalhost,
  relay,
  rsa,
  selfSigned,
  unneeded
} from "../support/pki.ts"
import { poll, Recorder, turns } from "../support/Recorder.ts"

const run = <A, E>(options: NodeOptions, effect: Effect.Effect<A, E, Transport | Scope.Scope>) =>
  Effect.scoped(Effect.provide(effect, Transport.layerNode(options) as Layer.Layer<Transport, TransportError>))

const listener: LocalSocket = { scheme: "msrps", host: "127.0.0.1", port: 0 }

/** As a listener for other relays. */
const asking = { asksForCertificate: true } as const

interface Hello {
  readonly socket: Tls.TLSSocket
  readonly outcome: string
  readonly names: string
  readonly fingerprint256: string
}

/** The outcome of a TLS client of Node's: the protocol spoken and the certificate seen, or an error code. */
const hello = (port: number, options: Tls.ConnectionOptions = {}) =>
  Effect.callback<Hello>((resume) => {
    const socket = Tls.connect({ port, host: "127.0.0.1", servername: "localhost", ca, ...options })
    socket.once("secureConnect", () => {
      const { fingerprint256 = "", subjectAltName: names = "" } = socket.getPeerX509Certificate() ?? {}
      resume(Effect.succeed({ socket, outcome: socket.getProtocol() ?? "", names, fingerprint256 }))
    })
    socket.on("error", (error) => {
      const outcome = String("code" in error && error.code)
      resume(Effect.succeed({ socket, outcome, names: "", fingerprint256: "" }))
    })
  }).pipe((effect) => Effect.acquireRelease(effect, ({ socket }) => Effect.sync(() => socket.destroy())))

/** What the certificate of a relay proves. */
const NAMES = ["relay.example.com", "b.example.com"]

/** What a client could resume, whatever the server thinks of it. */
const sessionOf = (socket: Tls.TLSSocket) =>
  socket.getProtocol() === "TLSv1.2"
    ? Effect.succeed(socket.getSession()!)
    : Effect.callback<Buffer>((resume) => {
      socket.once("session", (session: Buffer) => resume(Effect.succeed(session)))
      socket.resume()
    })

/** A TLS server of Node's; its port. */
const server = (pair: KeyPair, options: Tls.TlsOptions = {}, serve: (socket: Tls.TLSSocket) => void = () => {}) =>
  Effect.acquireRelease(
    Effect.callback<Tls.Server>((resume) => {
      const made = Tls.createServer({ cert: pair.cert, key: Redacted.value(pair.key), ...options }, (socket) => {
        socket.on("error", () => {})
        serve(socket)
      })
      made.on("tlsClientError", () => {})
      made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
    }),
    (made) => Effect.sync(() => made.close())
  ).pipe(Effect.map((made) => (made.address() as Net.AddressInfo).port))

/** What the certificate of `localhost` proves. */
const LOCAL = ["localhost", "127.0.0.1", "::1"]

/** What a dial comes to: the reason of the failure, or the names of the peer. */
const dial = (port: number, options: Partial<ConnectOptions> = {}) =>
  Effect.gen(function*() {
    const { connect } = yield* Transport
    return yield* connect({ scheme: "msrps", host: "127.0.0.1", port, ...options }, new Recorder().accept).pipe(
      Effect.match({ onFailure: (error) => error.reason, onSuccess: ({ peerNames }) => peerNames })
    )
  })

/** Certificates are valid now, so these tests run on the real clock. */
describe("TLS as a server", () => {
  it.live("R8996-01 speaks 1.2 and 1.3, and nothing older", () =>
    run(
      { tls: localhost },
      Effect.gen(function*() {
        const { listen } = yield* Transport
        const { port } = yield* listen(listener, new Recorder().accept)
        const only = (version: Tls.SecureVersion) =>
          hello(port, { minVersion: version, maxVersion: version, ciphers: "ALL:@SECLEVEL=0" })
        assert.strictEqual((yield* only("TLSv1.3")).outcome, "TLSv1.3")
        assert.strictEqual((yield* only("TLSv1.2")).outcome, "TLSv1.2")
        assert.strictEqual((yield* only("TLSv1.1")).outcome, "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION")
        assert.strictEqual((yield* only("TLSv1")).outcome, "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION")
      })
    ))

  it.live("R4976-9.2-26 has forward secrecy; the suite of 2007 only by configuration", () =>
    Effect.gen(function*() {
      const old = { maxVersion: "TLSv1.2", ciphers: "AES128-SHA", rejectUnauthorized: false } as const
      const outcome = (ciphers: string | undefined) =>
        run(
          { tls: { ...rsa, ciphers } },
          Effect.gen(function*() {
            const { listen } = yield* Transport
            const { port } = yield* listen(listener, new Recorder().accept)
            return (yield* hello(port, old)).outcome
          })
        )
      assert.strictEqual(yield* outcome("AES128-SHA"), "TLSv1.2")
      assert.match(yield* outcome(undefined), /ALERT/)
    }))

  it.live("R4976-9.2-23 presents the certificate for the name asked for, else the default one", () =>
    run(
      { tls: { ...localhost, others: [relay] } },
      Effect.gen(function*() {
        const { listen } = yield* Transport
        const { port } = yield* listen(listener, new Recorder().accept)
        const shown = (servername: string) =>
          Effect.map(hello(port, { servername, rejectUnauthorized: false }), ({ names }) => names)
        assert.match(yield* shown("b.example.com"), /DNS:b\.example\.com/)
        assert.match(yield* shown("relay.example.com"), /DNS:b\.example\.com/)
        assert.match(yield* shown("localhost"), /DNS:localhost/)
        assert.match(yield* shown("unknown.example.com"), /DNS:localhost/)
        assert.match(yield* shown(""), /DNS:localhost/)
      })
    ))

  it.live("presents the first of the others that is for the name, before the default one", () =>
    run(
      { tls: { ...localhost, others: [otherLocalhost, localhost] } },
      Effect.gen(function*() {
        const { identity, listen } = yield* Transport
        const { port } = yield* listen(listener, new Recorder().accept)
        const { fingerprint256 } = yield* hello(port, { rejectUnauthorized: false })
        const fingerprint = ({ cert }: KeyPair) => new X509Certificate(cert).fingerprint256
        assert.notStrictEqual(fingerprint(otherLocalhost), fingerprint(localhost))
        assert.strictEqual(fingerprint256, fingerprint(otherLocalhost))
        assert.strictEqual(identity("localhost"), 1)
        assert.strictEqual(identity("unknown.example.com"), 0)
      })
    ))

  it.live("new certificates are chosen by name anew, also for names that were asked for before", () =>
    Effect.gen(function*() {
      const tls = yield* SubscriptionRef.make<TlsOptions>({ ...localhost, others: [otherLocalhost] })
      yield* run(
        { tls },
        Effect.gen(function*() {
          const { identity } = yield* Transport
          assert.strictEqual(identity("localhost"), 1)
          yield* SubscriptionRef.set(tls, localhost)
          yield* turns(10)
          assert.strictEqual(identity("localhost"), 0)
        })
      )
    }))

  it.live("R4976-9.2-20 R4976-6.1-10 R4976-6.1-11 R4976-6.1-12 R4976-6.1-13 asks for a certificate, and believes a verified one", () =>
    run(
      { tls: { ...localhost, ca } },
      Effect.gen(function*() {
        const { listen } = yield* Transport
        const accepted: Array<Recorder> = []
        const { port } = yield* listen(listener, (connection) => {
          const recorder = new Recorder()
          accepted.push(recorder)
          return recorder.accept(connection)
        }, asking)
        const namesOf = Effect.fnUntraced(function*(pair: KeyPair | undefined) {
          const before = accepted.length
          yield* hello(port, pair === undefined ? {} : { cert: pair.cert, key: Redacted.value(pair.key) })
          yield* poll(() => accepted.length > before)
          return accepted.at(-1)!.connection.peerNames
        })
        assert.deepStrictEqual(yield* namesOf(undefined), [])
        assert.deepStrictEqual(yield* namesOf(relay), ["relay.example.com", "b.example.com"])
        assert.deepStrictEqual(yield* namesOf(selfSigned), [])
        assert.deepStrictEqual(yield* namesOf(expired), [])
      })
    ))

  it.live("R4976-9.2-29 does not renegotiate", () =>
    run(
      { tls: localhost },
      Effect.gen(function*() {
        const { listen } = yield* Transport
        const { port } = yield* listen(listener, new Recorder().accept)
        const { socket } = yield* hello(port, { maxVersion: "TLSv1.2" })
        const result = yield* Effect.callback<string>((resume) => {
          socket.on("close", () => resume(Effect.succeed("closed")))
          socket.renegotiate({}, (error) => resume(Effect.succeed(error === null ? "done" : "refused")))
          socket.write("a")
        })
        assert.notStrictEqual(result, "done")
      })
    ))

  it.live.each(["localhost", "b.example.com"])(
    "a client of %s resumes its session where nobody is asked for a certificate, and proves who it is anew where he is",
    (servername) =>
      run(
        { tls: { ...localhost, others: [relay], ca } },
        Effect.gen(function*() {
          const { listen } = yield* Transport
          for (const { expected, options } of [{ options: {}, expected: [] }, { options: asking, expected: NAMES }]) {
            for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
              const accepted: Array<ReadonlyArray<string>> = []
              const { port } = yield* listen(listener, (connection) => {
                accepted.push(connection.peerNames)
                return new Recorder().accept(connection)
              }, options)
              const own = { servername, cert: relay.cert, key: Redacted.value(relay.key), maxVersion }
              const first = yield* hello(port, own)
              const session = yield* sessionOf(first.socket)
              const again = yield* hello(port, { ...own, session })
              assert.strictEqual(again.socket.isSessionReused(), expected.length === 0)
              yield* poll(() => accepted.length === 2)
              assert.deepStrictEqual(accepted, [expected, expected])
            }
          }
        })
      )
  )

  it.live.each(
    [
      ["TLS", listener],
      ["WebSocket", { ...listener, transport: "ws" }]
    ] as const
  )(
    "R4976-9.2-30 takes a new certificate into use, and leaves open connections alone: %s",
    ([, listener]) =>
      Effect.gen(function*() {
        const messages: Array<string> = []
        const log = logInto(messages)
        const tls = yield* SubscriptionRef.make<TlsOptions>({ ...localhost, ca })
        yield* run(
          { tls },
          Effect.gen(function*() {
            const { connect, listen } = yield* Transport
            const accepted: Array<Recorder> = []
            const { port } = yield* listen(listener, (connection) => {
              const recorder = new Recorder()
              accepted.push(recorder)
              return recorder.accept(connection)
            })
            const opened = yield* connect({ ...listener, port }, new Recorder().accept)
            yield* poll(() => accepted.length === 1)
            const shown = Effect.map(hello(port, { servername: "", rejectUnauthorized: false }), ({ names }) => names)
            assert.match(yield* shown, /DNS:localhost/)
            yield* SubscriptionRef.set(tls, { ...relay, ca })
            yield* turns(50)
            assert.match(yield* shown, /DNS:b\.example\.com/)
            // The wrong key for the certificate: the last good one stays.
            yield* SubscriptionRef.set(tls, { cert: localhost.cert, key: relay.key })
            yield* turns(50)
            assert.match(yield* shown, /DNS:b\.example\.com/)
            assert.include(JSON.stringify(messages), "ERR_OSSL_X509_KEY_VALUES_MISMATCH")
            assert.notInclude(JSON.stringify(messages), "PRIVATE KEY")
            yield* SubscriptionRef.set(tls, { ...localhost, roots: ca } as TlsOptions)
            yield* turns(50)
            assert.match(yield* shown, /DNS:b\.example\.com/)
            assert.include(JSON.stringify(messages), "roots is no option")
            opened.write(Buffer.from("still here"), () => {}, [10])
            yield* accepted[0]!.untilLength(10)
          })
        ).pipe(Effect.provide(log))
      })
  )

  it.live("fails without a certificate, and with one that does not fit the key", () =>
    Effect.gen(function*() {
      const none = yield* Effect.flip(
        run({}, Effect.flatMap(Transport, ({ listen }) => listen(listener, new Recorder().accept)))
      )
      assert.deepStrictEqual([none.operation, none.reason], ["listen", "Certificate"])
      const wrong = yield* Effect.flip(run({ tls: { cert: localhost.cert, key: relay.key } }, Effect.asVoid(Transport)))
      assert.deepStrictEqual([wrong.operation, wrong.reason], ["listen", "Certificate"])
      const text = yield* Effect.flip(
        run({ tls: { cert: "no certificate", key: localhost.key } }, Effect.asVoid(Transport))
      )
      assert.strictEqual(text.reason, "Certificate")
    }))
})

describe("TLS as a client", () => {
  it.live("R4976-9.2-24 R4975-5.4-22 takes a certificate that is for the name, in date and trusted, and no other", () =>
    run(
      { tls: { ca } },
      Effect.gen(function*() {
        const good = yield* server(localhost)
        assert.deepStrictEqual(yield* dial(good), LOCAL)
        assert.deepStrictEqual(yield* dial(good, { host: "localhost" }), LOCAL)
        const named = yield* server(relay)
        assert.strictEqual(yield* dial(named), "Certificate")
        assert.strictEqual(yield* dial(named, { host: "localhost" }), "Certificate")
        // R4976-8-14: the certificate is for the domain, not for the SRV target.
        assert.deepStrictEqual(yield* dial(named, { serverName: "relay.example.com" }), [
          "relay.example.com",
          "b.example.com"
        ])
        assert.strictEqual(yield* dial(good, { host: "localhost", serverName: "b.example.com" }), "Certificate")
        assert.strictEqual(yield* dial(yield* server(expired)), "Certificate")
        assert.strictEqual(yield* dial(yield* server(selfSigned)), "Certificate")
        assert.strictEqual(yield* dial(yield* server(commonNameOnly), { host: "localhost" }), "Certificate")
      })
    ))

  it.live("says what is wrong with a certificate, with the name or the date", () =>
    run(
      { tls: { ca } },
      Effect.gen(function*() {
        const { connect } = yield* Transport
        const why = (pair: KeyPair, host: string) =>
          Effect.flatMap(server(pair), (port) =>
            Effect.map(
              Effect.flip(
                connect({ scheme: "msrps", host: "127.0.0.1", port, serverName: host }, new Recorder().accept)
              ),
              ({ message }) => message.replace(/^connect msrps:\/\/127.0.0.1:\d+: the certificate /, "")
            ))
        const { validToDate } = new X509Certificate(expired.cert)
        assert.strictEqual(yield* why(expired, "localhost"), `expired on ${validToDate.toISOString()}`)
        assert.strictEqual(yield* why(selfSigned, "localhost"), "is self-signed")
        assert.strictEqual(
          yield* why(relay, "localhost"),
          "is not for localhost, but for DNS:Relay.Example.com, DNS:b.example.com"
        )
        assert.strictEqual(yield* why(commonNameOnly, "localhost"), "has no DNS name")
        const future = yield* Effect.promise(() => issueFor("127.0.0.1", { hoursFromNow: 48 }))
        assert.match(yield* why(future, "localhost"), /^is not valid before \S+Z$/)
      })
    ))

  it.live("R4976-6.3-35: proves something though one that nobody needs has expired behind it", () =>
    run(
      { tls: { ca } },
      Effect.gen(function*() {
        const { connect } = yield* Transport
        const behind = `\n${yield* Effect.promise(unneeded)}`
        const until = Effect.fnUntraced(function*(pair: KeyPair) {
          const port = yield* server(pair)
          return (yield* connect({ ...listener, port }, new Recorder().accept)).peerNamesUntil!
        })
        const alone = yield* until(localhost)
        assert.approximately(yield* until({ ...localhost, cert: localhost.cert + behind }), alone, 60_000)
      })
    ))

  it.live("R4976-9.3-06: takes no chain that is too long, and has none taken from OpenSSL, which would stay for ever", () =>
    run(
      { tls: { ca } },
      Effect.gen(function*() {
        const taken = vi.spyOn(Tls.TLSSocket.prototype, "getPeerX509Certificate")
        yield* Effect.addFinalizer(() => Effect.sync(() => taken.mockRestore()))
        const behind = `\n${yield* Effect.promise(unneeded)}`
        for (const [pair, expected] of [[localhost, LOCAL], [selfSigned, "Certificate"]] as const) {
          assert.deepStrictEqual(yield* dial(yield* server({ ...pair, cert: pair.cert + behind.repeat(50) })), expected)
          assert.strictEqual(
            yield* dial(yield* server({ ...pair, cert: pair.cert + behind.repeat(150) })),
            "Certificate"
          )
        }
        assert.strictEqual(taken.mock.calls.length, 0)
      })
    ))

  it.live("trusts Node's roots when it is given none", () =>
    run(
      {},
      Effect.gen(function*() {
        assert.strictEqual(yield* dial(yield* server(localhost)), "Certificate")
      })
    ))

  it.live("R4976-9.2-25 takes an endpoint's certificate signed by itself only when allowed, never a relay's", () =>
    run(
      { allowSelfSigned: true },
      Effect.gen(function*() {
        const port = yield* server(selfSigned)
        assert.deepStrictEqual(yield* dial(port), [])
        assert.strictEqual(yield* dial(port, { relay: true }), "Certificate")
        // Signed by somebody else who isn't trusted; out of date.
        assert.strictEqual(yield* dial(yield* server(localhost)), "Certificate")
        assert.strictEqual(yield* dial(yield* server(expired)), "Certificate")
      })
    ))

  it.live("R4976-9.2-22 R4976-5.1-21 says which server it wants, and presents its own certificate", () =>
    run(
      { tls: { ...relay, ca } },
      Effect.gen(function*() {
        const seen: Array<string> = []
        const port = yield* server(localhost, { requestCert: true, rejectUnauthorized: true, ca }, (socket) => {
          const asked = (socket as { readonly servername?: string | false }).servername
          seen.push(`${String(asked)} ${socket.getPeerX509Certificate()?.subject}`)
        })
        yield* dial(port, { host: "localhost" })
        yield* dial(port)
        yield* poll(() => seen.length === 2)
        // An IP address is not a server name (RFC 6066 §3).
        assert.deepStrictEqual(seen, ["localhost CN=test", "false CN=test"])
      })
    ))

  it.live("R8996-01 refuses a server that is older than 1.2", () =>
    run(
      { tls: { ca } },
      Effect.gen(function*() {
        const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" } as const
        assert.strictEqual(yield* dial(yield* server(localhost, old)), "Other")
        assert.deepStrictEqual(yield* dial(yield* server(localhost, { maxVersion: "TLSv1.2" })), LOCAL)
      })
    ))
})

describe("dnsNames", () => {
  it("gives the DNS names only, as far as they can be trusted", () => {
    assert.deepStrictEqual(dnsNames(undefined), [])
    assert.deepStrictEqual(dnsNames("DNS:A.example.com, IP Address:10.0.0.1, DNS:*.b.example, URI:sip:x"), [
      "a.example.com",
      "*.b.example"
    ])
    // Node quotes what could be mistaken for another entry (CVE-2021-44532).
    assert.deepStrictEqual(
      dnsNames(String.raw`URI:"http://x/, DNS:evil.example", DNS:"a\", DNS:evil.example", DNS:good`),
      [
        "good"
      ]
    )
    assert.deepStrictEqual(dnsNames("email:a@b"), [])
    assert.deepStrictEqual(dnsNames(new X509Certificate(relay.cert).subjectAltName), [
      "relay.example.com",
      "b.example.com"
    ])
  })
})

/** MSRP_SOCKET_ROUTES from the environment to real sockets: each condition looks at what it says. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Client from "../../src/Client.ts"
import { Codec } from "../../src/Codec.ts"
import { relay } from "../../src/service/Service.ts"
import { Settings } from "../../src/service/Settings.ts"
import { type Connection, Transport } from "../../src/Transport.ts"
import { until } from "../support/harness.ts"
import { ca, localhost } from "../support/pki.ts"

const receiver = { bytes: () => {}, closed: () => {} }

const freePort = Effect.scoped(Effect.gen(function*() {
  const { listen } = yield* Transport
  return (yield* listen({ scheme: "msrp", host: "127.0.0.1", port: 0 }, () => receiver)).port
}))

interface Case {
  readonly condition: (ports: { readonly tcp: number; readonly tls: number; readonly bob: number }) => string
  /** What alice comes in over, and how bob is reached. */
  readonly by: "tcp" | "tls"
  readonly to: "msrp" | "msrps"
  /** Kind of the socket in the rule; that of `to` when absent. */
  readonly use?: "msrp" | "msrps"
  readonly applies: boolean
}

const cases: ReadonlyArray<Case> = [
  // What the request came in over, whatever it leaves by.
  { condition: () => "protocol=tcp", by: "tcp", to: "msrps", applies: true },
  { condition: () => "protocol=tcp", by: "tls", to: "msrp", applies: false },
  { condition: () => "protocol=tls", by: "tls", to: "msrp", applies: true },
  { condition: () => "protocol=tls", by: "tcp", to: "msrps", applies: false },
  { condition: () => "src=10.0.0.0/8,127.0.0.0/8", by: "tcp", to: "msrp", applies: true },
  { condition: () => "src=10.0.0.0/8", by: "tcp", to: "msrp", applies: false },
  { condition: () => "src-port=1024-65535", by: "tcp", to: "msrp", applies: true },
  { condition: () => "src-port=1-1023", by: "tcp", to: "msrp", applies: false },
  { condition: ({ tcp }) => `in=msrp:127.0.0.1:${tcp}`, by: "tcp", to: "msrps", applies: true },
  { condition: ({ tcp }) => `in=msrp:127.0.0.1:${tcp}`, by: "tls", to: "msrps", applies: false },
  { condition: () => "scheme=msrps", by: "tcp", to: "msrps", applies: true },
  { condition: () => "scheme=msrps", by: "tls", to: "msrp", use: "msrps", applies: false },
  { condition: () => "dst=127.0.0.0/8", by: "tcp", to: "msrp", applies: true },
  { condition: () => "dst=localhost", by: "tcp", to: "msrp", applies: false },
  { condition: ({ bob }) => `dst-port=${bob}`, by: "tcp", to: "msrp", applies: true },
  { condition: ({ bob }) => `dst-port=${bob === 65_535 ? 1 : bob + 1}`, by: "tcp", to: "msrp", applies: false }
]

const named = cases.map((one) => Object.assign(one, { text: one.condition({ tcp: 1, tls: 2, bob: 3 }) }))

it.live.each(named)(
  "$text, by $by to $to: $applies",
  ({ applies, by, condition, to, use = to }) =>
    Effect.gen(function*() {
      const { listen } = yield* Transport
      const from: Array<string> = []
      const accepted: Array<Connection> = []
      const { port: bob } = yield* listen({ scheme: to, host: "127.0.0.1", port: 0 }, (connection) => {
        from.push(connection.remote.host)
        accepted.push(connection)
        return receiver
      })
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const file = (name: string, text: string) =>
        Effect.as(fs.writeFileString(`${directory}/${name}`, text), `${directory}/${name}`)
      const [tcp, tls] = [yield* freePort, yield* freePort]
      const settings = yield* Settings.parse({
        // The clock stands still, so nobody waits for sessions to end by themselves.
        MSRP_DRAIN_TIMEOUT: "0",
        MSRP_URIS: `msrp://127.0.0.1:${tcp};tcp,msrps://127.0.0.1:${tls};tcp`,
        MSRP_LISTEN: ["1", "2"].map((n) => `msrp:127.0.0.${n}:${tcp},msrps:127.0.0.${n}:${tls}`).join(","),
        MSRP_SOCKET_ROUTES: `${condition({ tcp, tls, bob })} -> ${use}:127.0.0.2:${use === "msrp" ? tcp : tls}`,
        MSRP_USERS: "alice:wonderland",
        MSRP_TLS_CA: yield* file("ca", ca),
        MSRP_TLS_CERT: yield* file("cert", localhost.cert),
        MSRP_TLS_KEY: yield* file("key", Redacted.value(localhost.key))
      })
      yield* Layer.build(relay(settings))
      const near = by === "tcp" ? { scheme: "msrp", port: tcp } as const : { scheme: "msrps", port: tls } as const
      const alice = yield* Client.connect({ ...near, host: "127.0.0.1" })
      const { usePath } = yield* alice.auth({
        relay: `${near.scheme}://127.0.0.1:${near.port};tcp`,
        username: "alice",
        password: "wonderland"
      })
      yield* alice.send({ toPath: [...usePath, `${to}://127.0.0.1:${bob}/bob;tcp`], body: "hello" })
      yield* until(() => from.length > 0, "the connection")
      assert.deepStrictEqual(from, [applies ? "127.0.0.2" : "127.0.0.1"])
      // The relay would wait for his answer, by a clock that stands still.
      for (const connection of accepted) connection.destroy()
    }).pipe(Effect.provide([Transport.layerNode({ tls: { ...localhost, ca } }), Codec.layer, NodeFileSystem.layer]))
)

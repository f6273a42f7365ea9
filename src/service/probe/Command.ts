/** `msrp-relay probe`: tries a relay out from outside. */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Codec } from "../../Codec.ts"
import { Transport } from "../../Transport.ts"
import { passwordOf } from "../Password.ts"
import { readTls } from "../settings/TlsFiles.ts"
import { ProbeFailed } from "./Errors.ts"
import { probeFlags } from "./Flags.ts"
import { probe } from "./Probe.ts"
import { asJson, inLines } from "./ProbeReport.ts"

/** TLS options with the certificate authorities of the file named by `--ca`. */
const trust = Effect.fnUntraced(function*(ca: Option.Option<string>) {
  if (Option.isNone(ca)) return {}
  const { problems: [problem], tls } = yield* readTls({ cert: [], key: [], ca: ca.value }, [])
  if (problem === undefined) return tls
  return yield* new ProbeFailed({ step: "--ca", message: `${ca.value} cannot be used: ${problem.problem}` })
})

/** Fails with `ProbeFailed`, which makes the exit code 1; its message needs no further explanation. */
export const probeCommand = Command.make(
  "probe",
  probeFlags,
  Effect.fnUntraced(function*({ ca, insecure, json, relay, ...options }) {
    const tls = yield* trust(ca)
    const password = yield* passwordOf(options)
    const { stderr } = process
    const report = json ? asJson : inLines(stderr.isTTY && process.env["TERM"] !== "dumb" ? stderr : undefined)
    yield* Effect.scoped(probe({ ...options, ...relay, password }, report)).pipe(
      Effect.provide(
        Layer.merge(
          Transport.layerNode({ allowSelfSigned: insecure, connectTimeout: options.timeout, tls }),
          Codec.layer
        )
      )
    )
  })
).pipe(
  Command.withDescription(
    "Tests a relay: logs in, and sends messages and files through it in both directions. Exits with code 1 at the first step that fails."
  ),
  Command.withShortDescription("Tests a relay: sends messages and files through it"),
  Command.withExamples([
    {
      command: "msrp-relay probe",
      description: "Test the relay on this machine as user `demo`; its log has the password"
    },
    {
      command: "msrp-relay probe --relay msrps://relay.example.com --user alice --size 20MB",
      description: "Test another relay with a larger file"
    },
    {
      command: "msrp-relay probe --relay wss://relay.example.com/msrp --user alice",
      description: "Test over WebSocket, as a browser would"
    }
  ])
)

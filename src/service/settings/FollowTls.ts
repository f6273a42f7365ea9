/** Certificates that are renewed while the relay runs: the PEM files are read again, and used when they have changed. */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { MsrpUri } from "../../protocol/Uri.ts"
import type { TlsOptions } from "../../Transport.ts"
import { readTls, type TlsFiles } from "./TlsFiles.ts"
import { concernOf, isValid, validitiesOf, type Validity } from "./Validity.ts"

/** Milliseconds between two warnings of one certificate. */
const REMIND = 86_400_000

export interface FollowTlsOptions {
  readonly files: TlsFiles
  /** URIs of the relay: a certificate that is for none of them is used, with a warning. */
  readonly uris: ReadonlyArray<MsrpUri>
  /** What was read of the files before. */
  readonly first: TlsOptions
  /** Time between two looks at the files. Default 5 seconds. */
  readonly checkInterval?: Duration.Input | undefined
}

/**
 * The contents of the PEM files, for `Transport.layerNode`, until the scope closes. Files that cannot be used, such as a
 * certificate whose key is still the old one, or one that has expired in place of one that has not, are logged once, and
 * the last good ones stay. Those in force that end soon are logged once a day.
 */
export const followTls = Effect.fnUntraced(function*(
  { checkInterval = "5 seconds", files, first, uris }: FollowTlsOptions
): Effect.fn.Return<SubscriptionRef.SubscriptionRef<TlsOptions>, never, FileSystem.FileSystem | Scope.Scope> {
  const tls = yield* SubscriptionRef.make(first)
  let inForce = validitiesOf(first)
  // The start has warned itself.
  let warned = yield* Clock.currentTimeMillis
  let reported = ""
  const remind = Effect.fnUntraced(function*(now: number) {
    if (now - warned < REMIND) return
    warned = now
    for (const [index, validity] of inForce.entries()) {
      const concern = concernOf(validity, now)
      if (concern !== undefined) yield* Effect.logWarning(`The certificate ${files.cert[index]} ${concern}`)
    }
  })
  const check = Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    yield* remind(now)
    const read = yield* readTls(files, uris)
    const report = [
      ...read.problems.map(({ path, problem }) => `${path} ${problem}`),
      ...read.problems.length > 0 ? [] : worse(inForce, validitiesOf(read.tls), files.cert, now)
    ].join("; ")
    if (report !== "") {
      if (report !== reported) yield* Effect.logWarning(`TLS files not usable, keeping those from before: ${report}`)
      reported = report
      return
    }
    reported = ""
    if (same(read.tls, yield* SubscriptionRef.get(tls))) return
    yield* SubscriptionRef.set(tls, read.tls)
    inForce = validitiesOf(read.tls)
    warned = now
    yield* Effect.logInfo("TLS files read again: new connections use them")
    for (const warning of read.warnings) yield* Effect.logWarning(warning)
  })
  yield* check.pipe(Effect.delay(checkInterval), Effect.forever, Effect.forkScoped)
  return tls
})

/** What would put a certificate that is not valid now in the place of one that is. */
const worse = (
  before: ReadonlyArray<Validity>,
  after: ReadonlyArray<Validity>,
  paths: ReadonlyArray<string>,
  now: number
): ReadonlyArray<string> =>
  after.flatMap((one, index) => {
    const replaced = before[index]
    return replaced === undefined || isValid(one, now) || !isValid(replaced, now)
      ? []
      : [`${paths[index]} ${concernOf(one, now)}`]
  })

const same = (a: TlsOptions, b: TlsOptions): boolean => textsOf(a).join("\n") === textsOf(b).join("\n")

const textsOf = ({ ca = "", cert = "", key, others = [] }: TlsOptions): ReadonlyArray<string> => [
  ca,
  cert,
  key === undefined ? "" : Redacted.value(key),
  ...others.flatMap((other) => textsOf(other))
]

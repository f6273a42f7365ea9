/** Certificates that are renewed while the relay runs: the PEM files are read again, and used when they have changed. */
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { monotonicMillis } from "../../clock/Monotonic.ts"
import type { MsrpUri } from "../../protocol/Uri.ts"
import type { TlsOptions } from "../../Transport.ts"
import { readTls, type TlsFiles } from "./TlsFiles.ts"
import { concernOf, isValid, validitiesOf, type Validity } from "./Validity.ts"

/** Between two looks at the files. */
const LOOK = "5 seconds"

/** Milliseconds between two warnings of one certificate. */
const REMIND = 86_400_000

export interface FollowTlsOptions {
  readonly files: TlsFiles
  /** URIs of the relay: a certificate that is for none of them is used, with a warning. */
  readonly uris: ReadonlyArray<MsrpUri>
  /** What was read of the files before; with a certificate made at start where they have none. */
  readonly first: TlsOptions
  /** Time between two looks at the files. Default 5 seconds. */
  readonly checkInterval?: Duration.Input | undefined
}

/** What the files have now, and can be used. */
export interface Fresh {
  /** It is another one than what is in force. */
  readonly isNew: boolean
  /** From now on it is in force, and these files are followed. */
  readonly use: Effect.Effect<void>
}

/** Files that cannot be used: why. */
export class TlsNotUsable extends Data.TaggedError("TlsNotUsable")<{ readonly report: string }> {}

export interface FollowedTls {
  /** For `Transport.layerNode`. */
  readonly tls: SubscriptionRef.SubscriptionRef<TlsOptions>
  /** The own certificates in force. */
  readonly certificates: () => number
  /** Reads files now: these, or the same as ever. `made` is used where they have no certificate. */
  readonly read: (files?: TlsFiles, made?: TlsOptions) => Effect.Effect<Fresh, TlsNotUsable>
}

/**
 * Follows the contents of the PEM files until the scope closes. Files that cannot be used, such as a certificate whose key
 * is still the old one, or one that has expired in place of one that has not, are logged once, and the last good ones stay.
 * Those in force that end soon are logged once a day.
 */
export const followTls = Effect.fnUntraced(function*(
  { checkInterval = LOOK, files, first, uris }: FollowTlsOptions
): Effect.fn.Return<FollowedTls, never, FileSystem.FileSystem | Scope.Scope> {
  const fs = yield* FileSystem.FileSystem
  const tls = yield* SubscriptionRef.make(first)
  let followed = files
  let own = first
  let inForce = validitiesOf(first)
  const clock = yield* Clock.Clock
  // The start has warned itself.
  let warned = monotonicMillis(clock)
  let reported = ""
  const remind = Effect.fnUntraced(function*(now: number) {
    if (monotonicMillis(clock) - warned < REMIND) return
    warned = monotonicMillis(clock)
    for (const [index, validity] of inForce.entries()) {
      const path = followed.cert[index]
      const concern = concernOf(validity, now)
      if (path !== undefined && concern !== undefined) yield* Effect.logWarning(`The certificate ${path} ${concern}`)
    }
  })
  const read = Effect.fnUntraced(function*(wanted: TlsFiles = followed, made: TlsOptions = own) {
    const now = yield* Clock.currentTimeMillis
    const found = yield* Effect.provideService(readTls(wanted, uris), FileSystem.FileSystem, fs)
    const report = [
      ...found.problems.map(({ path, problem }) => `${path} ${problem}`),
      ...found.problems.length > 0 ? [] : worse(inForce, validitiesOf(found.tls), wanted.cert, now)
    ].join("; ")
    if (report !== "") return yield* new TlsNotUsable({ report })
    const fresh = wanted.cert.length > 0
      ? found.tls
      : { ...found.tls, ...(made.cert === undefined ? {} : { cert: made.cert, key: made.key }) }
    const isNew = !same(fresh, yield* SubscriptionRef.get(tls))
    const use = Effect.gen(function*() {
      followed = wanted
      own = made
      reported = ""
      if (!isNew) return
      yield* SubscriptionRef.set(tls, fresh)
      inForce = validitiesOf(fresh)
      warned = monotonicMillis(clock)
      yield* Effect.logInfo("TLS files read again: new connections use them")
      for (const warning of found.warnings) yield* Effect.logWarning(warning)
    })
    return { isNew, use }
  })
  const check = Effect.gen(function*() {
    yield* remind(yield* Clock.currentTimeMillis)
    yield* Effect.flatMap(read(), ({ use }) => use)
  }).pipe(
    Effect.catch(({ report }) => {
      if (report === reported) return Effect.void
      reported = report
      return Effect.logWarning(`TLS files not usable, keeping those from before: ${report}`)
    })
  )
  yield* check.pipe(Effect.delay(checkInterval), Effect.forever, Effect.forkScoped)
  return { tls, certificates: () => inForce.length, read }
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

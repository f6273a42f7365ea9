/**
 * Certificates that are renewed while the relay runs: PEM files are read periodically, and used when they have
 * changed.
 */
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
import { concernOf, isValid, stageOf, validitiesOf, type Validity } from "./Validity.ts"

/** Time between two reads of the files. */
const LOOK = "5 seconds"

/** Milliseconds between two warnings about a certificate in the same stage. */
const REMIND = 86_400_000

interface FollowTlsOptions {
  readonly files: TlsFiles
  /** URIs of the relay. A certificate that is valid for none of them is used, with a warning. */
  readonly uris: ReadonlyArray<MsrpUri>
  /** What was read from the files before, or a certificate made at start if they have none. */
  readonly first: TlsOptions
  /** Time between two reads of the files. Default 5 seconds. */
  readonly checkInterval?: Duration.Input | undefined
}

/** Usable contents of the files. */
interface Fresh {
  /** Whether they differ from what is in force. */
  readonly isNew: boolean
  /** What `use` logs as warnings. */
  readonly warnings: ReadonlyArray<string>
  /** Puts them into force, and follows these files from now on. */
  readonly use: Effect.Effect<void>
}

/** The files cannot be used; `report` says why. */
class TlsNotUsable extends Data.TaggedError("TlsNotUsable")<{ readonly report: string }> {}

export interface FollowedTls {
  /** Options for `Transport.layerNode`. */
  readonly tls: SubscriptionRef.SubscriptionRef<TlsOptions>
  /** Number of the relay's own certificates in force. */
  readonly certificates: () => number
  /** Reads files now; by default those that are followed. `made` is used if they have no certificate. */
  readonly read: (files?: TlsFiles, made?: TlsOptions) => Effect.Effect<Fresh, TlsNotUsable>
}

/**
 * Follows the contents of the PEM files until the scope closes. Files that cannot be used (for example a new
 * certificate with the old key, or an expired certificate in place of a valid one) are logged once, and the last
 * usable ones stay in force. Certificates in force that expire soon or have expired are logged when that begins, and
 * then once a day.
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
  const noted = (now: number) => inForce.map((one) => ({ stage: stageOf(one, now), at: monotonicMillis(clock) }))
  // What was said of each certificate last; the warnings at start count as the first ones.
  let said = noted(yield* Clock.currentTimeMillis)
  let reported = ""
  const remind = Effect.fnUntraced(function*(now: number) {
    const before = said
    const current = noted(now)
    const isDue = current.map(({ at, stage }, i) => stage !== before[i]?.stage || at - before[i].at >= REMIND)
    said = current.map((one, index) => isDue[index] ? one : before[index]!)
    for (const [index, validity] of inForce.entries()) {
      const path = followed.cert[index]
      const concern = isDue[index] ? concernOf(validity, now) : undefined
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
    const warnings = isNew ? found.warnings : []
    const use = Effect.gen(function*() {
      followed = wanted
      own = made
      reported = ""
      if (!isNew) return
      yield* SubscriptionRef.set(tls, fresh)
      inForce = validitiesOf(fresh)
      said = noted(now)
      yield* Effect.logInfo("TLS files read again: new connections use them")
      for (const warning of warnings) yield* Effect.logWarning(warning)
    })
    return { isNew, warnings, use }
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

/** Why a new certificate that is not valid now must not replace one that is. */
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

/** Checks that the list of users can be read, and that backends of users answer. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { Credentials } from "../../Credentials.ts"
import { readUsers } from "../../credentials/File.ts"
import { nobody } from "../../credentials/Http.ts"
import { otherUsersInTable } from "../../credentials/SqlOthers.ts"
import { printable } from "../../logging/Printable.ts"
import { realmKey } from "../../protocol/digest/Challenge.ts"
import * as Backend from "../Backend.ts"
import { type BackendSettings, backendsOf, type SettingsShape } from "../Settings.ts"
import { askedRealms } from "../settings/checks/Realms.ts"
import { reasonOf } from "../settings/TextFile.ts"
import { type Finding, findingsOf } from "./Finding.ts"

const { ok, problem, warning } = findingsOf("users")

export const checkUsers = (
  settings: SettingsShape
): Effect.Effect<ReadonlyArray<Finding>, never, FileSystem.FileSystem | Scope.Scope> =>
  Effect.map(
    Effect.forEach(
      backendsOf(settings.credentials),
      (backend) => checkBackend(backend, settings, askedOf(backend, settings))
    ),
    (findings) => findings.flat()
  )

/** The realms that clients are asked for and whose users are looked up in this source. */
const askedOf = (backend: BackendSettings, { credentials, relay }: SettingsShape): ReadonlyArray<string> => {
  const asked = askedRealms(relay, { realm: relay.authRealm })
  if (credentials._tag !== "ByRealm") return asked
  const named = new Map(Object.entries(credentials.realms).map(([realm, one]) => [realmKey(realm), one]))
  return asked.filter((realm) => (named.get(realmKey(realm)) ?? credentials.others) === backend)
}

const checkBackend = (
  credentials: BackendSettings,
  { demo }: SettingsShape,
  realms: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<Finding>, never, FileSystem.FileSystem | Scope.Scope> => {
  switch (credentials._tag) {
    case "Memory":
      return Effect.succeed(
        demo === undefined
          ? [
            counted("MSRP_USERS", credentials.users.length, realms, hasUserOf(realms, credentials)),
            ...decomposed("MSRP_USERS", "entry", entriesOf(credentials))
          ]
          : [ok("", "none are configured: a user demo is made at each start, with a password that is printed then")]
      )
    case "Ephemeral":
      return Effect.succeed([ok("MSRP_EPHEMERAL_SECRET", "all who have a password made with it")])
    case "File":
      return inFile(credentials.path, credentials.calculateHa1 ?? false, realms)
    case "Sql":
      return inTable(credentials, realms)
    case "Http":
      return asked(
        { ...credentials, realm: undefined },
        "MSRP_HTTP_URL",
        "the service answers",
        credentials.realm ?? ""
      )
  }
}

/** `hasAsked`: whether there are users of the realms that clients are asked for, if there are users at all. */
const counted = (subject: string, users: number, asked: ReadonlyArray<string>, hasAsked: boolean): Finding => {
  // Users may be added while the relay runs, so it may start without any.
  if (users === 0) return warning(subject, "has no users: nobody can log in")
  const those = `${users} user${users === 1 ? "" : "s"}`
  return hasAsked || asked.length === 0 ? ok(subject, those) : problem(
    subject,
    `has ${those}, but none of a realm that clients are asked for (${asked.join(", ")}): nobody can log in`,
    "give the users such a realm, or set MSRP_AUTH_REALM to theirs"
  )
}

/** Whether users of these realms are in a list; one without a realm is of every realm. */
const hasUserOf = (
  asked: ReadonlyArray<string>,
  { users }: Extract<BackendSettings, { readonly _tag: "Memory" }>
): boolean => users.some(({ realm }) => realm === undefined || asked.includes(realm.normalize("NFC")))

/** Positions, counted from 1, of users whose names or realms are not in Unicode normalization form C. */
const entriesOf = ({ users }: Extract<BackendSettings, { readonly _tag: "Memory" }>): ReadonlyArray<number> =>
  users.flatMap(({ realm = "", secret, username }, index) =>
    secret._tag === "Ha1" && `${username}:${realm}` !== `${username}:${realm}`.normalize("NFC") ? [index + 1] : []
  )

/** Warns of such users, because clients hash composed names, and an H(A1) cannot be recomputed without the password. */
const decomposed = (subject: string, what: string, numbers: ReadonlyArray<number>): ReadonlyArray<Finding> =>
  numbers.length === 0 ? [] : [warning(
    subject,
    `${what} ${
      numbers.join(", ")
    }: a user or realm that is not composed (Unicode NFC); clients hash it composed, and an ` +
      "H(A1) of the form that is written here is wrong",
    "make it again with msrp-relay user hash"
  )]

const inFile = Effect.fnUntraced(function*(path: string, calculateHa1: boolean, asked: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.readFile(path).pipe(
    Effect.flatMap((octets) => readUsers(octets, calculateHa1)),
    Effect.map((lines) => [
      counted(path, lines.users, asked, lines.mayHaveUsersOf(asked)),
      ...decomposed(path, "line", lines.decomposed)
    ]),
    Effect.catch((error) => Effect.succeed([problem(path, reasonOf(error))]))
  )
})

const inTable = Effect.fnUntraced(function*(
  settings: Extract<BackendSettings, { readonly _tag: "Sql" }>,
  realms: ReadonlyArray<string>
) {
  const subject = "MSRP_SQL_URL"
  const table = settings.table?.table ?? "subscriber"
  const findings = yield* asked(settings, subject, `the table ${table} can be queried`, "")
  if (findings.some(({ status }) => status === "problem")) return findings
  const others = yield* otherUsersInTable(settings, realms)
  return others === undefined ? findings : [
    ...findings,
    warning(
      subject,
      `the table ${table} has ${others.users} row${
        others.users === 1 ? "" : "s"
      } for realms whose users are not looked up there (but those of ${realms.join(", ")} are), such as ${
        printable(others.realm)
      }`
    )
  ]
})

/**
 * Asks a backend as for an AUTH. A database is asked for a user with an empty name, which none has; an HTTP service
 * might reject that.
 */
const asked = Effect.fnUntraced(function*(
  credentials: Extract<BackendSettings, { readonly _tag: "Sql" | "Http" }>,
  subject: string,
  fine: string,
  realm: string
) {
  // Without a cache, because there is only one query. Its log lines are discarded, because the finding reports the
  // failure.
  const backend = Layer.provide(Backend.layer({ ...credentials, cacheSeconds: 0 }), Logger.layer([]))
  const username = credentials._tag === "Sql" ? "" : nobody
  return yield* Layer.build(backend).pipe(
    Effect.flatMap((context) => Effect.provide(Credentials, context)),
    Effect.flatMap(({ lookup }) => lookup({ username, realm })),
    Effect.map((found) => [
      Option.isSome(found) && credentials._tag === "Http"
        ? warning(
          subject,
          `it has a user ${nobody}, a name queried only to see whether it answers: does it accept any name?`
        )
        : ok(subject, fine)
    ]),
    Effect.catch((error) => Effect.succeed([problem(subject, error.message)]))
  )
})

/** `msrp-relay admin`: the admin API on the command line. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { DEFAULT_PAGE, Limit, logLevels, MAX_PAGE, Name, Offset, SessionLabel } from "../../admin/Model.ts"
import type { AdminConnection } from "./Client.ts"
import { adminFlags, refused } from "./Flags.ts"
import { WIDTH } from "./Text.ts"
import * as Views from "./Views.ts"

const base = Command.make("admin").pipe(
  Command.withSharedFlags({
    ...adminFlags,
    json: Flag.Boolean("json").pipe(
      Flag.withoutNegation,
      Flag.withDescription("Print the JSON of the API"),
      Flag.withDefault(false)
    )
  })
)

/** Characters of a line: the width of the terminal, or unlimited for a pipe. */
const width = (): number => process.stdout.isTTY ? Math.max(80, process.stdout.columns ?? WIDTH) : Infinity

/** Sends a request, and prints the answer as JSON or as lines. */
const ask = <A, R>(
  request: (client: AdminConnection["client"]) => Effect.Effect<A, unknown, R>,
  lines: (answer: A, shown: { readonly now: number; readonly width: number; readonly where: string }) => ReadonlyArray<
    string
  >
) =>
  Effect.scoped(Effect.gen(function*() {
    const given = yield* base
    const { asked, connectAdmin } = yield* Effect.promise(() => import("./Client.ts"))
    const connection = yield* connectAdmin(given)
    const answer = yield* asked(connection, request(connection.client))
    const now = yield* Clock.currentTimeMillis
    const text = given.json
      ? [JSON.stringify(answer)]
      : lines(answer, { now, width: width(), where: connection.where })
    if (text.length > 0) yield* Console.log(text.join("\n"))
    return answer
  }))

const optional = Option.getOrUndefined

const address = Flag.String("address").pipe(
  Flag.withDescription("Only those of this peer: an IP address without port"),
  Flag.withMetavar("ADDRESS"),
  Flag.withSchema(Name),
  Flag.optional
)
const sort = <const Rank extends string>(...ranks: ReadonlyArray<Rank>) =>
  Flag.Literals("sort", ["age", ...ranks]).pipe(
    Flag.withDescription(`Sort by age, the oldest first, or by ${ranks.join(" or ")}, the most first`),
    Flag.withMetavar(["age", ...ranks].join("|")),
    Flag.withDefault("age" as const)
  )
const page = {
  limit: Flag.Int("limit").pipe(
    Flag.withDescription(`Number of entries to list, at most ${MAX_PAGE}`),
    Flag.withSchema(Limit),
    Flag.withDefault(DEFAULT_PAGE)
  ),
  offset: Flag.Int("offset").pipe(
    Flag.withDescription("Number of entries to skip"),
    Flag.withSchema(Offset),
    Flag.withDefault(0)
  )
}
const user = (description: string) =>
  Flag.String("user").pipe(
    Flag.withDescription(description),
    Flag.withMetavar("NAME"),
    Flag.withSchema(Name),
    Flag.optional
  )
const realm = Flag.String("realm").pipe(
  Flag.withDescription("Only users of this realm"),
  Flag.withMetavar("REALM"),
  Flag.withSchema(Name),
  Flag.optional
)

const sessions = Command.make(
  "sessions",
  { user: user("Only those of this user"), realm, address, sort: sort("octets"), ...page },
  (given) => {
    const { limit, offset, sort } = given
    const query = {
      user: optional(given.user),
      realm: optional(given.realm),
      address: optional(given.address),
      sort,
      limit,
      offset
    }
    return ask(
      (client) => client.sessions({ query }),
      (all, shown) => Views.sessionLines(all, { ...shown, offset, user: query.user })
    )
  }
).pipe(Command.withDescription("Lists sessions: user, address, age, and traffic"))

const connections = Command.make("connections", { address, sort: sort("octets", "waiting"), ...page }, (given) => {
  const { limit, offset, sort } = given
  const query = { address: optional(given.address), sort, limit, offset }
  return ask(
    (client) => client.connections({ query }),
    (all, shown) => Views.connectionLines(all, { ...shown, offset })
  )
}).pipe(Command.withDescription("Lists connections, including those with other relays"))

const kill = Command.make(
  "kill",
  {
    session: Flag.String("session").pipe(
      Flag.withDescription("Session with this label: 12 hexadecimal digits, as in the list and the log"),
      Flag.withMetavar("LABEL"),
      Flag.withSchema(SessionLabel),
      Flag.optional
    ),
    connection: Flag.Int("connection").pipe(
      Flag.withDescription("Connection with this number, including its sessions"),
      Flag.optional
    ),
    user: user("All sessions of this user"),
    realm
  },
  Effect.fnUntraced(function*({ connection, realm, session, user }) {
    if ([Option.isSome(session), Option.isSome(connection), Option.isSome(user)].filter(Boolean).length !== 1) {
      return yield* refused("Give one of --session, --connection and --user")
    }
    if (Option.isSome(realm) && Option.isNone(user)) return yield* refused("--realm can only be used with --user")
    if (Option.isSome(session)) {
      const label = session.value
      return yield* Effect.asVoid(
        ask((client) => client.endSession({ params: { label } }), () => [`Session ${label} has ended`])
      )
    }
    if (Option.isSome(connection)) {
      const number = connection.value
      return yield* Effect.asVoid(ask(
        (client) => client.endConnection({ params: { number } }),
        () => [`Connection ${number} is closed`]
      ))
    }
    const name = Option.getOrThrow(user)
    const { ended } = yield* ask(
      (client) => client.endUser({ params: { user: name }, query: { realm: optional(realm) } }),
      ({ ended }) => ended === 0 ? [] : [`${ended} session${ended === 1 ? "" : "s"} of ${name} ended`]
    )
    if (ended === 0) return yield* refused(`${name} has no session${Views.nameHint(name)}`)
  })
).pipe(Command.withDescription("Ends a session, a connection, or all sessions of a user"))

const drain = Command.make("drain", {}, () =>
  ask((client) => client.drain(), ({ phase }) => [
    `The relay is ${phase}: no new sessions are granted, and existing ones go on`
  ])).pipe(Command.withDescription("Stops granting new sessions; existing ones go on"))

const undrain = Command.make(
  "undrain",
  {},
  Effect.fnUntraced(function*() {
    const { phase } = yield* ask(
      (client) => client.undrain(),
      ({ phase }) => phase === "serving" ? [`The relay is ${phase}: new sessions are granted`] : []
    )
    if (phase !== "serving") {
      return yield* refused(`The relay is ${phase} because it is about to end; this cannot be undone`)
    }
  })
).pipe(
  Command.withDescription("Grants new sessions again")
)

const reload = Command.make(
  "reload",
  {},
  Effect.fnUntraced(function*() {
    const { problems } = yield* ask((client) => client.reload(), (result) => Views.reloadLines(result))
    if (problems.length > 0) return yield* refused("The previous settings stay in force")
  })
).pipe(Command.withDescription("Reloads the settings, and prints the result"))

const loglevel = Command.make(
  "loglevel",
  {
    level: Argument.Literals("level", logLevels).pipe(
      Argument.withDescription("Lowest level to log until the next start"),
      Argument.optional
    )
  },
  ({ level }) =>
    Option.isNone(level)
      ? ask((client) => client.logLevel(), (answer) => [answer.level])
      : ask((client) => client.setLogLevel({ payload: { level: level.value } }), (answer) => [
        `The log level is ${answer.level} until the next start`
      ])
).pipe(Command.withDescription("Prints or changes the log level"))

const status = Command.make(
  "status",
  {},
  () => ask((client) => client.overview(), (all, { where, width }) => Views.overviewLines(all, where, width))
).pipe(
  Command.withDescription("Prints the phase, sessions, connections and rates")
)

const history = Command.make(
  "history",
  { user: Argument.String("user").pipe(Argument.withDescription("User name"), Argument.withSchema(Name)) },
  ({ user }) =>
    ask(
      (client) => client.history({ params: { user } }),
      ({ items }, shown) => Views.eventLines(items, `Nothing is known of ${user}${Views.nameHint(user)}`, shown.width)
    )
).pipe(Command.withDescription("Prints recent events of a user, the latest last"))

const recent = Command.make(
  "recent",
  {},
  () =>
    ask(
      (client) => client.recent(),
      ({ items }, shown) => Views.eventLines(items, "Nothing has ended yet", shown.width)
    )
).pipe(
  Command.withDescription("Prints sessions and connections that ended recently, and why, the latest last")
)

export const adminCommand = base.pipe(
  Command.withDescription(
    "Observes and controls a running relay through its admin API (MSRP_ADMIN). See docs/admin.md."
  ),
  Command.withShortDescription("Observes and controls a running relay"),
  Command.withExamples([
    {
      command: "msrp-relay admin status --admin 127.0.0.1:2858",
      description: "State of the relay with this admin API"
    },
    { command: "msrp-relay admin kill --user alice", description: "End all sessions of Alice" }
  ]),
  Command.withSubcommands([
    status,
    sessions,
    connections,
    history,
    recent,
    kill,
    drain,
    undrain,
    reload,
    loglevel
  ])
)

/** `msrp-relay trace`: shows the trace of a user. */
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { TraceFrame } from "../../trace/TraceFrame.ts"
import { adminFlags } from "../admin/Flags.ts"
import { nameHint } from "../admin/Views.ts"
import { traceFlags } from "./Flags.ts"
import { show } from "./Show.ts"

const decode = Schema.decodeUnknownEffect(TraceFrame)

export const traceCommand = Command.make(
  "trace",
  { ...adminFlags, ...traceFlags },
  Effect.fnUntraced(
    function*({ brief, json, realm, seconds, user, ...given }) {
      const { asked, connectAdmin, explained } = yield* Effect.promise(() => import("../admin/Client.ts"))
      const connection = yield* connectAdmin(given)
      const query = {
        user: Option.getOrUndefined(user),
        realm: Option.getOrUndefined(realm),
        seconds: Option.getOrUndefined(seconds)
      }
      if (query.user !== undefined) {
        const { realm, user } = query
        const one = { user, realm, sort: "age", limit: 1, offset: 0 } as const
        const { total } = yield* asked(connection, connection.client.sessions({ query: one }))
        // Warns, because with a misspelt name no frames would ever come.
        if (total === 0) {
          yield* Console.error(`${user} has no session now${nameHint(user)}; what passes when he logs in will be shown`)
        }
      }
      const lines = yield* asked(connection, connection.client.trace({ query }))
      const frames = lines.pipe(
        Stream.mapEffect((line) => decode(line)),
        Stream.mapError((error) => explained(error, connection.where))
      )
      yield* show(frames, { brief, json, output: process.stdout })
    },
    Effect.scoped
  )
).pipe(
  Command.withDescription(
    "Shows the frames that the relay receives from users and sends to them, without bodies and secrets, until Ctrl-C"
  ),
  Command.withShortDescription("Shows the frames of a user"),
  Command.withExamples([
    { command: "msrp-relay trace --user alice", description: "Frames from and to Alice" },
    { command: "msrp-relay trace --brief --seconds 60", description: "Frames of all users for a minute, one line each" }
  ])
)

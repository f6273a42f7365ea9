/**
 * A bot that answers each message with the same text. It logs in, stays online, and prints its path each time that the path
 * changes. Run it: `RELAY="msrps://relay.example.com;tcp" BOT_PASSWORD=... node examples/bot.ts`.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Client, Codec, Transport } from "msrp-relay"

/** The state as one line. The path is for peers that may write to the bot; with SIP it goes into the SDP. */
const lineOf = (state: Client.OnlineState): string => {
  if (state._tag === "Online") return `online: ${state.path.join(" ")}`
  if (state._tag === "Offline") return `offline until ${DateTime.formatIso(state.retryAt)}: ${state.error.message}`
  return state._tag.toLowerCase()
}

const bot = Effect.gen(function*() {
  const relay = yield* Config.String("RELAY")
  const username = yield* Config.String("BOT_NAME").pipe(Config.withDefault("bot"))
  const password = yield* Config.Redacted("BOT_PASSWORD")
  const bot = yield* Client.online({ relay, username, password })
  yield* Effect.forkScoped(Stream.runForEach(bot.changes, (state) => Console.log(lineOf(state))))
  // Ends when the relay refuses the login. Answers several messages at a time, so that a slow peer delays no other.
  yield* bot.messages.stream.pipe(
    Stream.mapEffect(
      (message) =>
        bot.reply(message, { body: message.body ?? "", contentType: message.contentType ?? "text/plain" }).pipe(
          Effect.catch(({ message }) => Console.error(`not answered: ${message}`))
        ),
      { concurrency: 16, unordered: true }
    ),
    Stream.runDrain
  )
})

bot.pipe(Effect.scoped, Effect.provide([Transport.layerNode(), Codec.layer]), NodeRuntime.runMain)

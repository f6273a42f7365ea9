/**
 * MSRP for web pages: see docs/browser.md.
 *
 * ```ts
 * const msrp = await connect({ url: "wss://relay.example.com/", username: "alice", password })
 * const chat = msrp.session()
 * // ... send chat.path to the peer, and get the peer's path
 * chat.peer = path
 * await chat.send("Hello")
 * for await (const message of chat.messages) console.log(await message.text())
 * ```
 *
 * @module
 */

import * as Context from "effect/Context"
import * as Scheduler from "effect/Scheduler"
import { Codec } from "../Codec.ts"
import { Transport } from "../Transport.ts"
import type { ConnectOptions, Msrp } from "./Api.ts"
import { checkConnect } from "./Checks.ts"
import { promised } from "./Failures.ts"
import { open } from "./Link.ts"
import * as WebSocketTransport from "./WebSocketTransport.ts"

export type * from "./Api.ts"
export { MsrpError, type MsrpErrorReason } from "./MsrpError.ts"

/** Schedules by microtasks, because browsers delay timers in hidden tabs. */
const scheduler = new Scheduler.MixedScheduler("async", (task) => {
  let wanted = true
  queueMicrotask(() => wanted && task())
  return () => {
    wanted = false
  }
})

// Without layers, to keep them out of the bundle.
const services = Context.make(Transport, WebSocketTransport.make()).pipe(
  Context.add(Codec, Codec.make()),
  Context.add(Scheduler.Scheduler, scheduler)
)

/**
 * Connects to a relay and logs in. Rejects with a `MsrpError` if the first attempt fails. After that, a lost connection is made again
 * until `close` is called, or until the relay refuses this user.
 *
 * @category constructors
 * @since 0.2.0
 */
export const connect = async (options: ConnectOptions): Promise<Msrp> => {
  checkConnect(options)
  return promised(services, open(options), options.signal)
}

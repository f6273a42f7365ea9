/**
 * MSRP for web pages: see docs/browser.md.
 *
 * ```ts
 * const msrp = await connect({ url: "wss://relay.example.com/", username: "alice", password })
 * const chat = msrp.session()
 * // ... tell the peer chat.path, and learn the peer's path
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

/** Timers are slow in tabs that are not seen. */
const scheduler = new Scheduler.MixedScheduler("async", (task) => {
  let wanted = true
  queueMicrotask(() => wanted && task())
  return () => {
    wanted = false
  }
})

// Not by layers, whose machinery a page would have to load.
const services = Context.make(Transport, WebSocketTransport.make()).pipe(
  Context.add(Codec, Codec.make()),
  Context.add(Scheduler.Scheduler, scheduler)
)

/**
 * Connects to a relay and logs in. Rejects with a `MsrpError` if that does not work at once; later, what is lost is
 * connected again until `close`, or until the relay does not let this user in any more.
 *
 * @category constructors
 * @since 0.2.0
 */
export const connect = async (options: ConnectOptions): Promise<Msrp> => {
  checkConnect(options)
  return promised(services, open(options), options.signal)
}

/** Something that happened in a relay: the log, the history of a user and whoever listens get the same. */
import type { TransportName } from "../../transport/TransportName.ts"

/**
 * All messages; docs/log.md tells of each with its fields.
 *
 * @category constants
 * @since 0.2.0
 */
export const eventMessages = [
  "login granted",
  "login failed",
  "peer bound",
  "request refused",
  "message not delivered",
  "message cut off",
  "dial succeeded",
  "dial failed",
  "session ended",
  "connection ended"
] as const

/**
 * What an event says; which fields it has follows from it (docs/log.md).
 *
 * @category models
 * @since 0.2.0
 */
export type EventMessage = typeof eventMessages[number]

/**
 * The same names everywhere, in this order; those that are not known of an event are absent.
 *
 * @category models
 * @since 0.2.0
 */
export interface EventFields {
  /** The number of the connection. */
  readonly connection?: number | undefined
  /** What stands for the session-id: 12 hexadecimal digits. */
  readonly session?: string | undefined
  readonly user?: string | undefined
  readonly realm?: string | undefined
  /** Address and port of the connection's peer. */
  readonly remote?: string | undefined
  readonly transport?: TransportName | undefined
  /** The listener that the connection came in on: `msrps://host:port`. */
  readonly listener?: string | undefined
  /** What else there is to tell. */
  readonly [name: string]: string | number | boolean | undefined
}

/**
 * Something that happened on a relay, as its log has it. Nothing of it is a secret.
 *
 * @category models
 * @since 0.2.0
 */
export interface RelayEvent {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly level: "Debug" | "Info" | "Warn"
  readonly message: EventMessage
  readonly fields: EventFields
}

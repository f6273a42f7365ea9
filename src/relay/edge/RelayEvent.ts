/** Something that happened in a relay, in the one form that the log, the history and listeners get. */
import type { TransportName } from "../../transport/TransportName.ts"

/**
 * All messages. docs/log.md describes each of them with its fields.
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
 * The message of an event, which determines its fields (docs/log.md).
 *
 * @category models
 * @since 0.2.0
 */
export type EventMessage = typeof eventMessages[number]

/**
 * The fields of an event, in this order; unknown ones are absent. Each name means the same in all events.
 *
 * @category models
 * @since 0.2.0
 */
export interface EventFields {
  /** The number of the connection. */
  readonly connection?: number | undefined
  /** Stands for the session-id, which is a secret: 12 hexadecimal digits. */
  readonly session?: string | undefined
  readonly user?: string | undefined
  readonly realm?: string | undefined
  /** The address and port of the connection's peer. */
  readonly remote?: string | undefined
  readonly transport?: TransportName | undefined
  /** The listener that the connection came in on: `msrps://host:port`. */
  readonly listener?: string | undefined
  /** Further fields, by message. */
  readonly [name: string]: string | number | boolean | undefined
}

/**
 * Something that happened in a relay, as in its log. It contains no secrets.
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

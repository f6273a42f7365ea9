/** The mailboxes of a client, and their bounds. */
import * as Effect from "effect/Effect"
import type { ClientError } from "./ClientError.ts"
import type { Message } from "./Inbox.ts"
import { Arriving, type Incoming } from "./Incoming.ts"
import { Mailbox, Unread } from "./Mailbox.ts"
import type { ClientOptions } from "./Options.ts"
import type { Report } from "./Report.ts"

/** Default of `maxUnread`: octets that may wait to be taken before reading pauses. */
export const MAX_UNREAD = 67_108_864
/** Default of `maxReports`. */
const MAX_REPORTS = 65_536
/** Octets of REPORTs that are kept, however few they are: each may have headers of 16 KiB. */
const MAX_REPORT_OCTETS = 67_108_864
/** Octets that a message handed out while it arrives counts in addition to its headers. */
const ARRIVING = 2048

/** A client that stays online uses the same mailboxes for all of its connections. */
export interface Mailboxes {
  readonly unread: Unread
  readonly messages: Mailbox<Message>
  readonly incoming: Mailbox<Incoming>
  readonly reports: Mailbox<Report>
}

export const makeMailboxes = Effect.fnUntraced(function*(
  { maxReports = MAX_REPORTS, maxUnread = MAX_UNREAD }: ClientOptions
): Effect.fn.Return<Mailboxes> {
  const unread = new Unread(maxUnread)
  return {
    unread,
    messages: yield* Mailbox.make<Message>(unread, {
      octets: ({ body, first }) => first.headOctets + (body?.length ?? 0)
    }),
    incoming: yield* Mailbox.make<Incoming>(unread, {
      octets: ({ first }) => ARRIVING + first.headOctets,
      taken: (incoming) => incoming instanceof Arriving && incoming.handedOut()
    }),
    reports: yield* Mailbox.newest<Report>(
      { count: maxReports, octets: MAX_REPORT_OCTETS },
      { octets: ({ frame }) => frame.headOctets }
    )
  }
})

export const closeMailboxes = (
  { incoming, messages, reports }: Omit<Mailboxes, "unread">,
  error: ClientError
): void => {
  messages.close(error)
  incoming.close(error)
  reports.close(error)
}

/** Text that a client, peer or certificate supplied, made safe to show in a log, an event or an error (RFC 4975 §14.5). */

/** Characters of a text that an event or a log line shows. */
export const MAX_PRINTED = 100

/**
 * The first `most` characters, with control characters and line separators replaced by U+FFFD: a terminal could take them for
 * commands.
 */
export const printable = (text: string, most = MAX_PRINTED): string =>
  beginningOf(text, most).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "\u{fffd}")

/** Copied, because a slice would keep the whole text in memory. */
const beginningOf = (text: string, most: number): string =>
  text.length <= most ? text : Buffer.from(text.slice(0, most)).toString()

/** What a client of the admin API may take: it is for a few operators, and must not be where a relay is brought down. */

/** Connections at a time; of more, those without a request are closed, then the new ones. */
export const MAX_CONNECTIONS = 64

/** Octets of a request's line and header fields (431 beyond that). */
export const MAX_HEAD = 8192

/** Milliseconds for a request to come in, head and body; the first one from the connection on. */
export const REQUEST_TIME = 10_000

/** Milliseconds that a client has for its next request, as it is told; Node gives it a second more, since it may be on its way. */
export const IDLE_TIME = 5000

/** Milliseconds for an answer that is written and not taken: whoever does not read is dropped. */
export const STALL_TIME = 15_000

/** For an endpoint to have its answer; a stream only begins in it. */
export const ANSWER_TIME = "30 seconds"

/** Requests on one connection: who sends them without waiting for answers has as many read at once. */
export const MAX_REQUESTS = 32

/** Characters of one part of a path, as a user's name in hexadecimal escapes. */
export const MAX_PATH_PART = 1024

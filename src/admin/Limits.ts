/** Limits on the clients of the admin API, which serves a few operators and must not be a way to bring down a relay. */

/** Maximum number of connections. Beyond it an idle one is closed, or else the new one. */
export const MAX_CONNECTIONS = 64

/** Maximum number of octets of the request line and headers (431 beyond that). */
export const MAX_HEAD = 8192

/** Milliseconds for a request to arrive, headers and body; for the first one they begin with the connection. */
export const REQUEST_TIME = 10_000

/** Milliseconds that an idle connection is kept, as announced to the client; Node adds a second for requests under way. */
export const IDLE_TIME = 5000

/**
 * Milliseconds after which a client that does not read its response is disconnected. Node begins them again once, when it sees how
 * much of a write has gone out.
 */
export const STALL_TIME = 15_000

/** Time limit for an endpoint to answer; a stream only has to begin within it. */
export const ANSWER_TIME = "30 seconds"

/** Maximum number of requests on one connection: a client that pipelines has this many read at once. */
export const MAX_REQUESTS = 32

/** Maximum number of characters of one path segment, such as a user name in percent-encoding. */
export const MAX_PATH_PART = 1024

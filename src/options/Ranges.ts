/** Ranges of numbers, both ends included, for options of the library and for variables. */
export type Range = readonly [minimum: number, maximum: number]

const KIB = 1024
const GIB = KIB ** 3
const DAY = 86_400

/** Octets. */
const octets = (minimum: number): Range => [minimum, GIB]

/** A number of things, in the whole relay or for one party. */
const count = (maximum: number, minimum = 1): Range => [minimum, maximum]

export const ranges = {
  /** Seconds; whole numbers, because they are sent in headers. */
  expires: [1, 365 * DAY] as Range,
  /** Seconds. */
  connectTimeout: [0.1, 3600] as Range,
  /** Seconds. Linux supports at most 32,767, and ignores larger values. */
  keepAlive: [0, 9 * 3600] as Range,
  stall: [1, DAY] as Range,
  idle: [3600, 30 * DAY] as Range,
  /** Seconds; 0 for never. */
  ping: [0, DAY] as Range,
  /** Octets of body in a chunk to a WebSocket client. */
  piece: [2 * KIB, 1024 * KIB] as Range,
  output: octets(4 * KIB),
  session: octets(4 * KIB),
  octetRate: octets(16 * KIB),
  requestRate: count(1_000_000),
  sessionsPerConnection: count(1_000_000),
  transactions: count(1_000_000, 16),
  failedAuths: count(1000),
  connections: count(1_000_000),
  connectionsPerAddress: count(1_000_000),
  connectionsInProbation: count(1_000_000),
  dials: count(10_000),
  nextHops: count(1_000_000),
  /** Seconds. */
  drain: [0, DAY] as Range,
  unused: [60, DAY] as Range,
  maxSessions: count(10_000_000),
  maxSessionsPerUser: count(1_000_000)
} as const

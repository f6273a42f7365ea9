/** Every variable: its codec, and what the documentation says of it. `.env.example` and the docs are made from this. */
import * as Codecs from "./Codecs.ts"
import type { TextCodec } from "./Codecs.ts"

/** What is known of a variable besides its codec. */
export interface Setting {
  readonly variable: string
  readonly group: SettingGroup
  /** What may be in it, as it fits behind "must be". */
  readonly expects: string
  readonly meaning: string
  /** A value that works. */
  readonly example: string
  /** The text that counts when the variable is not set; `undefined` when `absent` tells what happens then. */
  readonly default: string | undefined
  /** What it means that the variable is not set. */
  readonly absent: string | undefined
  /** The parameter of OpenSIPS' `msrp_relay` that does the same. */
  readonly opensips: string | undefined
}

export type SettingGroup = "Addresses" | "Users" | "AUTH" | "TLS" | "Sessions" | "Next hops" | "Limits" | "Logging"

/** A variable: `A` is what it is read into. */
export interface Variable<out A> extends Setting {
  readonly codec: TextCodec<unknown>
  readonly "~A": A
}

interface Row {
  readonly expects: string
  readonly meaning: string
  readonly example: string
  readonly opensips?: string
}

const make = (
  variable: string,
  group: SettingGroup,
  codec: TextCodec<unknown>,
  row: Row & { readonly default?: string; readonly absent?: string }
): Setting & { readonly codec: TextCodec<unknown> } => ({
  variable,
  group,
  codec,
  default: undefined,
  absent: undefined,
  opensips: undefined,
  ...row
})

/** A variable that always has a value. */
const set = <A>(
  variable: string,
  group: SettingGroup,
  codec: TextCodec<A>,
  row: Row & { readonly default: string }
): Variable<A> => make(variable, group, codec, row) as Variable<A>

/** A variable that may be left out. */
const optional = <A>(
  variable: string,
  group: SettingGroup,
  codec: TextCodec<A>,
  row: Row & { readonly absent: string }
): Variable<A | undefined> => make(variable, group, codec, row) as Variable<A | undefined>

const KIB = 1024
const GIB = KIB ** 3
const DAY = 86_400

/** URIs of the relay when neither `MSRP_URIS` nor `MSRP_LISTEN` is set. */
export const DEFAULT_URIS = "msrp://localhost:2855;tcp,msrps://localhost:2856;tcp"

export const variables = {
  uris: optional("MSRP_URIS", "Addresses", Codecs.uris, {
    expects: "MSRP URIs with commas between them",
    meaning: "The relay's own URIs, as clients address it. Port 2855 if a URI has none; no session-id, no user name. " +
      "`localhost` stands for 127.0.0.1 and [::1] too.",
    example: "msrp://relay.example.org:2855;tcp,msrps://relay.example.org:2856;tcp",
    absent: `those of MSRP_LISTEN, else \`${DEFAULT_URIS}\``,
    opensips: "my_uri"
  }),
  usePath: optional("MSRP_USE_PATH", "Addresses", Codecs.oneUriEach, {
    expects: "MSRP URIs of this relay, at most one for each scheme",
    meaning:
      "The URI of this very machine, where those of MSRP_URIS are shared by several relays that the SRV records of " +
      "their domain list: what session URIs are made of, since one is good on the relay only that gave it.",
    example: "msrps://relay1.example.com:2855;tcp",
    absent: "the URI that the client addresses"
  }),
  listen: optional("MSRP_LISTEN", "Addresses", Codecs.listeners, {
    expects: "sockets like msrp:192.0.2.1:2855 with commas between them",
    meaning: "Addresses to bind, when they are not those of the URIs: `msrp` is TCP, `msrps` is TLS. " +
      "0.0.0.0 and [::] are all addresses of the machine.",
    example: "msrp:0.0.0.0:2855,msrps:[::]:2856",
    absent: "host and port of each of MSRP_URIS"
  }),
  dnsServers: optional("MSRP_DNS_SERVERS", "Addresses", Codecs.dnsServers, {
    expects: "addresses of name servers, each with or without a port",
    meaning: "Who is asked for the SRV records of other relays' domains.",
    example: "192.0.2.53,[2001:db8::53]:5353",
    absent: "the name servers of the machine"
  }),
  socketRoutes: optional("MSRP_SOCKET_ROUTES", "Addresses", Codecs.socketRoutes, {
    expects: `rules like "dst=10.0.0.0/8 -> msrp:10.0.0.1:2855" with semicolons between them`,
    meaning: "Which local socket a connection to the next hop is made from: the first rule that matches counts.",
    example: "dst=10.0.0.0/8 -> msrp:10.0.0.1:2855; scheme=msrps -> none",
    absent:
      "the socket that the request came in on if its scheme is that of the next hop, else the first listener of " +
      "that scheme",
    opensips: "socket_route"
  }),

  credentials: optional("MSRP_CREDENTIALS", "Users", Codecs.oneOf("memory", "file", "sql", "http", "ephemeral"), {
    expects: `"memory", "file", "sql", "http" or "ephemeral"`,
    meaning: "Where users come from: `memory` is MSRP_USERS, `file` is MSRP_CREDENTIALS_FILE, `sql` is MSRP_SQL_URL, " +
      "`http` is MSRP_HTTP_URL, `ephemeral` is MSRP_EPHEMERAL_SECRET.",
    example: "file",
    absent: "the one whose variable is set; `memory` if none is",
    opensips: "auth_route"
  }),
  users: optional("MSRP_USERS", "Users", Codecs.users, {
    expects: "users like alice:secret or alice@example.org:secret, with commas between them",
    meaning:
      "Users, each good for one realm or, without one, for every realm. In names and secrets `,` is written %2C " +
      "and `%` is %25; in names also `:` %3A and `@` %40.",
    example: "alice:secret,bob@example.org:pass%2Cword",
    absent: "none; with no URI, listener or users configured at all, a user `demo` with a password made at start"
  }),
  credentialsFile: optional("MSRP_CREDENTIALS_FILE", "Users", Codecs.line, {
    expects: "the path of a file",
    meaning: "A file of users, one `user:realm:secret` in a line, as `htdigest` writes it. It is read again when it " +
      "changes.",
    example: "/etc/msrp-relay/users",
    absent: "none"
  }),
  calculateHa1: optional("MSRP_CALCULATE_HA1", "Users", Codecs.boolean, {
    expects: "1, 0, true, false, yes or no",
    meaning:
      "1: a stored secret is a password. 0: it is H(user:realm:password) in hexadecimal, of MD5 (32 digits) or " +
      "SHA-256 (64).",
    example: "1",
    absent: "1 for `memory`, 0 for `file` and `sql`",
    opensips: "calculate_ha1"
  }),
  credentialsCache: set("MSRP_CREDENTIALS_CACHE", "Users", Codecs.seconds(0, DAY), {
    expects: "a time of 0 to 1 day",
    meaning:
      "For how long a user of `sql` or `http` is remembered; a password that is changed is good so long after. " +
      "0: never.",
    example: "5 minutes",
    default: "30"
  }),
  sqlUrl: optional("MSRP_SQL_URL", "Users", Codecs.sqlUrl, {
    expects: "a URL of PostgreSQL (postgres://), MySQL or MariaDB (mysql://), or sqlite: with the path of a file",
    meaning:
      "A database with the table of users that OpenSIPS and Kamailio have. MSRP_CALCULATE_HA1 chooses the column.",
    example: "postgres://msrp:secret@db.example.com/opensips",
    absent: "none"
  }),
  sqlTable: set("MSRP_SQL_TABLE", "Users", Codecs.sqlName, {
    expects: "a name in the database, maybe with its schema and a dot",
    meaning: "The table.",
    example: "msrp_users",
    default: "subscriber"
  }),
  sqlUsername: set("MSRP_SQL_USERNAME_COLUMN", "Users", Codecs.sqlName, {
    expects: "a name in the database",
    meaning: "Column of user names.",
    example: "name",
    default: "username"
  }),
  sqlDomain: set("MSRP_SQL_DOMAIN_COLUMN", "Users", Codecs.sqlNameOrNone, {
    expects: `a name in the database, or "none"`,
    meaning: "Column of realms. With `none`, every user is one of every realm.",
    example: "realm",
    default: "domain"
  }),
  sqlPassword: set("MSRP_SQL_PASSWORD_COLUMN", "Users", Codecs.sqlName, {
    expects: "a name in the database",
    meaning: "Column of passwords, for MSRP_CALCULATE_HA1=1.",
    example: "secret",
    default: "password"
  }),
  sqlHa1: set("MSRP_SQL_HA1_COLUMN", "Users", Codecs.sqlName, {
    expects: "a name in the database",
    meaning: "Column of H(user:realm:password) with MD5, for MSRP_CALCULATE_HA1=0.",
    example: "digest",
    default: "ha1"
  }),
  sqlHa1Sha256: set("MSRP_SQL_HA1_SHA256_COLUMN", "Users", Codecs.sqlNameOrNone, {
    expects: `a name in the database, or "none"`,
    meaning: "The same with SHA-256; without it, only MD5 is offered for MSRP_CALCULATE_HA1=0.",
    example: "ha1_sha256",
    default: "none"
  }),
  httpUrl: optional("MSRP_HTTP_URL", "Users", Codecs.httpUrl, {
    expects: "an http or https URL without a password",
    meaning: "A service that is asked for each user; docs/credentials.md says how.",
    example: "https://users.example.com/msrp",
    absent: "none"
  }),
  httpToken: optional("MSRP_HTTP_TOKEN", "Users", Codecs.secret, {
    expects: "text without control characters",
    meaning: "Sent to that service as a bearer token.",
    example: "0a4f113b",
    absent: "none is sent"
  }),
  ephemeralSecret: optional("MSRP_EPHEMERAL_SECRET", "Users", Codecs.secret, {
    expects: "text without control characters",
    meaning:
      "Users are whoever has a user name that begins with a time that is not over (seconds since 1970) and the " +
      "password made of it with this secret, as for TURN.",
    example: "north-pole",
    absent: "none"
  }),

  realm: optional("MSRP_AUTH_REALM", "AUTH", Codecs.realm, {
    expects: `1 to 255 characters without quotation marks, "\\" or control characters`,
    meaning: "The realm that users are asked to prove themselves for.",
    example: "example.org",
    absent: "the host that the AUTH addresses",
    opensips: "auth_realm"
  }),
  expires: optional("MSRP_AUTH_EXPIRES", "AUTH", Codecs.seconds(1, 365 * DAY, true), {
    expects: "a time of 1 second to 365 days, in whole seconds",
    meaning: "How long a session URI is valid when the client does not say.",
    example: "1800",
    absent: "1800, or the nearest that `MSRP_AUTH_MIN_EXPIRES` and `MSRP_AUTH_MAX_EXPIRES` allow",
    opensips: "auth_expires"
  }),
  minExpires: optional("MSRP_AUTH_MIN_EXPIRES", "AUTH", Codecs.seconds(1, 365 * DAY, true), {
    expects: "a time of 1 second to 365 days, in whole seconds",
    meaning: "The least that a client may ask for; less is answered 423 with Min-Expires.",
    example: "60",
    absent: "no minimum",
    opensips: "auth_min_expires"
  }),
  maxExpires: optional("MSRP_AUTH_MAX_EXPIRES", "AUTH", Codecs.seconds(1, 365 * DAY, true), {
    expects: "a time of 1 second to 365 days, in whole seconds",
    meaning: "The most that a client may ask for; more is answered 423 with Max-Expires.",
    example: "1h",
    absent: "no maximum but 365 days, which is what whoever asks for more gets",
    opensips: "auth_max_expires"
  }),
  nonceExpire: set("MSRP_NONCE_EXPIRE", "AUTH", Codecs.seconds(1, DAY), {
    expects: "a time of 1 second to 1 day",
    meaning: "How long a nonce can be used; an older one is answered 401 with stale=true.",
    example: "1 minute",
    default: "30",
    opensips: "nonce_expire"
  }),
  algorithms: set("MSRP_DIGEST_ALGORITHMS", "AUTH", Codecs.algorithms, {
    expects: "SHA-256, MD5, or both with a comma between them",
    meaning: "Digest algorithms to offer, in this order. Some clients know MD5 only, and some of them read only the " +
      "last challenge.",
    example: "MD5",
    default: "SHA-256,MD5"
  }),
  realmsWithoutMd5: set("MSRP_REALMS_WITHOUT_MD5", "AUTH", Codecs.realms, {
    expects: "realms with commas between them",
    meaning: "Where MD5 is neither offered nor accepted, whatever MSRP_DIGEST_ALGORITHMS has.",
    example: "secure.example.com",
    default: "none"
  }),
  freeFailuresPerUser: set("MSRP_AUTH_FREE_FAILURES", "AUTH", Codecs.wholeNumber(1, 1_000_000), {
    expects: "a whole number from 1 to 1000000",
    meaning:
      "AUTHs with wrong credentials for one user from one address, on any connections, that are answered at once. " +
      "Each further one doubles the time until it is, from 1 to 16 seconds; forgotten after 15 minutes.",
    example: "3",
    default: "10"
  }),
  freeFailuresPerAddress: set("MSRP_AUTH_FREE_FAILURES_PER_ADDRESS", "AUTH", Codecs.wholeNumber(1, 1_000_000), {
    expects: "a whole number from 1 to 1000000",
    meaning: "The same for all users from one address, but for those who have logged in from there.",
    example: "1000",
    default: "100"
  }),
  allowPlaintextAuth: set("MSRP_ALLOW_PLAINTEXT_AUTH", "AUTH", Codecs.boolean, {
    expects: "1, 0, true, false, yes or no",
    meaning: "Allow AUTH without TLS on every listener. It is always allowed on loopback (RFC 4976 section 9.2).",
    example: "true",
    default: "false"
  }),
  maxFailedAuth: set("MSRP_MAX_FAILED_AUTH", "AUTH", Codecs.wholeNumber(1, 1000), {
    expects: "a whole number from 1 to 1000",
    meaning: "Failed AUTHs after which a connection is closed.",
    example: "3",
    default: "5"
  }),

  tlsCert: optional("MSRP_TLS_CERT", "TLS", Codecs.paths, {
    expects: "the path of a PEM file, or several with commas between them",
    meaning:
      "The relay's certificate, followed by its chain. Also shown to other relays, so its extended key usage, if it has " +
      "one, must have both serverAuth and clientAuth. Further ones are for clients that ask for their names (SNI), and for " +
      "the sessions of those.",
    example: "/etc/msrp-relay/fullchain.pem",
    absent: "none; on loopback, a certificate signed by itself and made at start"
  }),
  tlsKey: optional("MSRP_TLS_KEY", "TLS", Codecs.paths, {
    expects: "the path of a PEM file, or several with commas between them",
    meaning: "Private key of the certificate, not encrypted; of each of several, in the same order.",
    example: "/etc/msrp-relay/privkey.pem",
    absent: "none"
  }),
  tlsCa: optional("MSRP_TLS_CA", "TLS", Codecs.line, {
    expects: "the path of a PEM file",
    meaning: "Certificates of the authorities to trust, in place of those that come with Node.js.",
    example: "/etc/msrp-relay/ca.pem",
    absent: "those that come with Node.js"
  }),
  allowSelfSigned: set("MSRP_TLS_ALLOW_SELF_SIGNED", "TLS", Codecs.boolean, {
    expects: "1, 0, true, false, yes or no",
    meaning: "Accept a certificate signed by itself when connecting to a next hop. For endpoints only: leave it off " +
      "where the relay connects to other relays.",
    example: "true",
    default: "false"
  }),

  relayPeers: set("MSRP_RELAY_PEERS", "TLS", Codecs.relayPeers, {
    expects: `"all", "none", or host names with commas between them`,
    meaning: "Which other relays are admitted as such, of those that prove their name by a certificate that " +
      "MSRP_TLS_CA vouches for. `*.` stands for one label. The others are treated like anybody.",
    example: "relay.example.net,*.relays.example.com",
    default: "all"
  }),

  hashSize: set("MSRP_HASH_SIZE", "Sessions", Codecs.wholeNumber(1, 20), {
    expects: "a whole number from 1 to 20",
    meaning: "The session table has 2 to the power of this buckets, which are cleaned up a few at a time.",
    example: "12",
    default: "10",
    opensips: "hash_size"
  }),
  cleanupInterval: set("MSRP_CLEANUP_INTERVAL", "Sessions", Codecs.seconds(1, DAY), {
    expects: "a time of 1 second to 1 day",
    meaning: "Time for one pass over the session table, removing what has expired.",
    example: "2 minutes",
    default: "60",
    opensips: "cleanup_interval"
  }),
  maxSessions: set("MSRP_MAX_SESSIONS", "Sessions", Codecs.wholeNumber(1, 10_000_000), {
    expects: "a whole number from 1 to 10000000",
    meaning: "Sessions at a time.",
    example: "20000",
    default: "100000"
  }),
  maxSessionsPerConnection: set("MSRP_MAX_SESSIONS_PER_CONNECTION", "Sessions", Codecs.wholeNumber(1, 1_000_000), {
    expects: "a whole number from 1 to 1000000",
    meaning: "Sessions that one connection may have at a time.",
    example: "10",
    default: "100"
  }),

  maxSessionsPerUser: set("MSRP_MAX_SESSIONS_PER_USER", "Sessions", Codecs.wholeNumber(1, 1_000_000), {
    expects: "a whole number from 1 to 1000000",
    meaning: "Sessions that one user may have at a time, on however many connections; another AUTH is answered 403.",
    example: "50",
    default: "1000"
  }),

  extendActiveSessions: set("MSRP_EXTEND_ACTIVE_SESSIONS", "Sessions", Codecs.boolean, {
    expects: "1, 0, true, false, yes or no",
    meaning: "A session through which requests pass lives on: each one gives it all its time again, and so does an " +
      "empty SEND of its owner to the relay. For clients that never refresh their AUTH; RFC 4976 section 6.3 wants none " +
      "to outlive the time it was given.",
    example: "true",
    default: "false"
  }),

  nextHopAllow: set("MSRP_NEXT_HOP_ALLOW", "Next hops", Codecs.nextHops, {
    expects: "addresses, networks, host names or *.names",
    meaning:
      "Where clients may make the relay connect to, whatever else forbids it. Without it, the relay does not connect to " +
      "itself and, unless it listens on loopback only, to no loopback, link-local, private or multicast address; " +
      "asked for the address that is dialled, after DNS.",
    example: "10.1.0.0/16,*.chat.example.com",
    default: "none"
  }),
  nextHopDeny: set("MSRP_NEXT_HOP_DENY", "Next hops", Codecs.nextHops, {
    expects: "addresses, networks, host names or *.names",
    meaning: "Where it may not, besides. 0.0.0.0/0,::/0 leaves only what MSRP_NEXT_HOP_ALLOW has.",
    example: "198.51.100.0/24,2001:db8::/32",
    default: "none"
  }),
  nextHopPorts: optional("MSRP_NEXT_HOP_PORTS", "Next hops", Codecs.ports, {
    expects: `"any", or ports and ranges of ports with commas between them`,
    meaning: "Ports that clients may make the relay connect to, of whatever MSRP_NEXT_HOP_ALLOW does not have.",
    example: "2855,2856,49152-65535",
    absent: "443 and 1024 to 65535; any if the relay listens on loopback only"
  }),

  maxConnections: set("MSRP_MAX_CONNECTIONS", "Limits", Codecs.wholeNumber(1, 1_000_000), {
    expects: "a whole number from 1 to 1000000",
    meaning:
      "Connections at a time. When there are more, one that has proved nothing yet is closed, the oldest of the address that has most of them, " +
      "or the least recently used one without a session; if there is none, the new one.",
    example: "2000",
    default: "10000"
  }),
  maxConnectionsPerAddress: optional("MSRP_MAX_CONNECTIONS_PER_ADDRESS", "Limits", Codecs.wholeNumber(1, 1_000_000), {
    expects: "a whole number from 1 to 1000000",
    meaning: "Connections at a time from one address. Many clients behind one NAT have the same address.",
    example: "500",
    absent: "as many as there may be in all"
  }),
  maxConnectionsInProbation: set("MSRP_MAX_CONNECTIONS_IN_PROBATION", "Limits", Codecs.wholeNumber(1, 1_000_000), {
    expects: "a whole number from 1 to 1000000",
    meaning:
      "Connections at a time that have not brought a successful request (they have 30 seconds); the oldest of the address that has most of them " +
      "is closed for a new one. As many more may be in the middle of their TLS handshake, on each listener.",
    example: "200",
    default: "1000"
  }),
  idleLimit: set("MSRP_IDLE_LIMIT", "Limits", Codecs.seconds(3600, 30 * DAY), {
    expects: "a time of 1 hour to 30 days",
    meaning: "A connection without sessions and without traffic for so long is closed (RFC 4976 section 6.5).",
    example: "1 day",
    default: "2 hours"
  }),
  maxDials: set("MSRP_MAX_DIALS", "Limits", Codecs.wholeNumber(1, 10_000), {
    expects: "a whole number from 1 to 10000",
    meaning:
      "Connections to next hops that one user may have in the making at a time, on however many connections; what needs more is answered 408.",
    example: "8",
    default: "32"
  }),
  maxTransactions: set("MSRP_MAX_TRANSACTIONS", "Limits", Codecs.wholeNumber(16, 1_000_000), {
    expects: "a whole number from 16 to 1000000",
    meaning: "Requests without an answer on one connection before those who send to it are held.",
    example: "1000",
    default: "16384"
  }),
  messageRate: set("MSRP_SESSION_MESSAGE_RATE", "Limits", Codecs.wholeNumber(0, 1_000_000), {
    expects: "a whole number from 0 to 1000000",
    meaning:
      "Requests (a chunk is one) per second through one session in one direction. Whoever is faster is not read for " +
      "a while; nothing is lost. A connection that several sessions share waits as a whole. 0: no bound.",
    example: "100",
    default: "0"
  }),
  octetRate: set("MSRP_SESSION_OCTET_RATE", "Limits", Codecs.octets(16 * KIB, GIB, true), {
    expects: "0, or a size of 16 KiB to 1 GiB",
    meaning: "The same for the octets of their bodies.",
    example: "1 MiB",
    default: "0"
  }),
  connectTimeout: set("MSRP_CONNECT_TIMEOUT", "Limits", Codecs.seconds(0.1, 3600), {
    expects: "a time of 100 ms to 1 hour",
    meaning: "Time for a connection to the next hop to open, TLS handshake included.",
    example: "5s",
    default: "10"
  }),
  stallLimit: set("MSRP_STALL_LIMIT", "Limits", Codecs.seconds(1, DAY), {
    expects: "a time of 1 second to 1 day",
    meaning: "A receiver that takes nothing for so long, while something waits for it, is disconnected.",
    example: "1 minute",
    default: "30"
  }),
  outputLimit: set("MSRP_OUTPUT_LIMIT", "Limits", Codecs.octets(4 * KIB, GIB), {
    expects: "a size of 4 KiB to 1 GiB",
    meaning: "Octets that wait for one connection before those who send to it are held.",
    example: "256 KiB",
    default: "128 KiB"
  }),
  sessionBuffer: set("MSRP_SESSION_BUFFER", "Limits", Codecs.octets(4 * KIB, GIB), {
    expects: "a size of 4 KiB to 1 GiB",
    meaning: "Octets held for one session with a slow receiver before its sender is not read any more.",
    example: "1 MiB",
    default: "256 KiB"
  }),

  logLevel: set("MSRP_LOG_LEVEL", "Logging", Codecs.logLevel, {
    expects: "all, trace, debug, info, warn, error, fatal or none",
    meaning: "The least severe messages to log.",
    example: "debug",
    default: "info"
  }),
  logFormat: set("MSRP_LOG_FORMAT", "Logging", Codecs.oneOf("pretty", "json", "logfmt"), {
    expects: `"pretty", "json" or "logfmt"`,
    meaning: "How messages are written to standard output.",
    example: "json",
    default: "pretty"
  })
}

export type Variables = typeof variables

/** What the variables are read into. */
export type Values = { readonly [K in keyof Variables]: Variables[K]["~A"] }

/** All variables, in the order of the documentation. */
export const settingsTable: ReadonlyArray<Setting> = Object.values(variables)

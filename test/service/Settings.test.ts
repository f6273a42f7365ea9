import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as PlatformError from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import * as fc from "fast-check"
import { readFileSync } from "node:fs"
import { inspect } from "node:util"
import type { SubscriberTable } from "../../src/credentials/Sql.ts"
import { canonicalHost } from "../../src/protocol/Uri.ts"
import {
  isLoopback,
  Settings,
  type SettingsError,
  type SettingsShape,
  settingsTable
} from "../../src/service/Settings.ts"
import { envExample, markdownTables } from "../../src/service/settings/Document.ts"
import { ca, localhost, relay } from "../support/pki.ts"

const HA1 = "0123456789abcdef0123456789abcdef"

const files: Record<string, string> = {
  "/relay.crt": relay.cert,
  "/relay.key": Redacted.value(relay.key),
  "/localhost.crt": localhost.cert,
  "/localhost.key": Redacted.value(localhost.key),
  "/ca.crt": ca,
  "/text": "no PEM at all",
  "/encrypted.key": "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
  "/users": `alice:example.org:${HA1}\n`,
  "/passwords": "alice:example.org:sesame\n"
}

const failure = (_tag: "NotFound" | "PermissionDenied", path: string) =>
  PlatformError.systemError({ _tag, module: "FileSystem", method: "readFileString", pathOrDescriptor: path })

const disk = FileSystem.layerNoop({
  readFileString: (path) =>
    path === "/forbidden"
      ? Effect.fail(failure("PermissionDenied", path))
      : files[path] === undefined
      ? Effect.fail(failure("NotFound", path))
      : Effect.succeed(files[path])
})

type Env = Readonly<Record<string, string | undefined>>

const parse = (env: Env): Effect.Effect<SettingsShape, SettingsError> => Effect.provide(Settings.parse(env), disk)

/** What is wrong, by variable. */
const problemsOf = (env: Env): Effect.Effect<Record<string, string>> =>
  Effect.map(
    Effect.flip(parse(env)),
    ({ problems }) => Object.fromEntries(problems.map(({ problem, variable }) => [variable, problem]))
  ) as Effect.Effect<
    Record<string, string>
  >

const users = { MSRP_USERS: "alice:secret" }
const remote = {
  ...users,
  MSRP_URIS: "msrps://relay.example.com:2856;tcp",
  MSRP_TLS_CERT: "/relay.crt",
  MSRP_TLS_KEY: "/relay.key"
}

const uriTexts = ({ uris }: SettingsShape) => uris.map(({ text }) => text)
const sockets = ({ listeners }: SettingsShape) => listeners.map(({ host, port, scheme }) => `${scheme} ${host} ${port}`)

/** Users with their secrets in the open. */
const revealed = ({ credentials }: SettingsShape) =>
  credentials._tag === "Memory" &&
  credentials.users.map(({ realm, secret, username }) =>
    [username, realm, secret._tag === "Password" ? Redacted.value(secret.password) : secret.ha1] as const
  )

interface Case {
  readonly value: string
  /** Other variables that have to be there. */
  readonly beside?: Env
  readonly of: (settings: SettingsShape) => unknown
  readonly is: unknown
}

const sqlBeside: Env = { MSRP_SQL_URL: "sqlite:/users.db" }

const tableOf = (name: keyof SubscriberTable) => ({ credentials }: SettingsShape) =>
  credentials._tag === "Sql" && credentials.table?.[name]

/** A value of each variable, and where it must be found. */
const cases: Record<string, ReadonlyArray<Case>> = {
  MSRP_URIS: [
    {
      value:
        " msrp://relay.example.com;tcp , msrp://192.0.2.1:;tcp,msrp://[2001:DB8::1];TCP,MSRP://b.example.com:7;tcp",
      beside: users,
      of: uriTexts,
      is: [
        "msrp://relay.example.com:2855;tcp",
        "msrp://192.0.2.1:2855;tcp",
        "msrp://[2001:DB8::1]:2855;tcp",
        "msrp://b.example.com:7;tcp"
      ]
    },
    {
      value: "msrp://relay.example.com;tcp,msrp://[2001:db8::1]:2856;tcp",
      beside: users,
      of: sockets,
      is: ["msrp relay.example.com 2855", "msrp 2001:db8::1 2856"]
    }
  ],
  MSRP_USE_PATH: [
    {
      value: "msrps://one.example.com;tcp,msrp://one.example.com:7;tcp",
      beside: users,
      of: ({ usePath }) => usePath.map(({ text }) => text),
      is: ["msrps://one.example.com:2855;tcp", "msrp://one.example.com:7;tcp"]
    }
  ],
  MSRP_LISTEN: [
    {
      value: "msrp:0.0.0.0:2855, msrps:[::]:2856",
      beside: { ...remote, MSRP_URIS: "msrp://relay.example.com;tcp" },
      of: sockets,
      is: ["msrp 0.0.0.0 2855", "msrps :: 2856"]
    },
    {
      value: "msrp:192.0.2.1:2855,msrps:[2001:db8::1]:2856",
      beside: { ...remote, MSRP_URIS: undefined },
      of: uriTexts,
      is: ["msrp://192.0.2.1:2855;tcp", "msrps://[2001:db8::1]:2856;tcp"]
    }
  ],
  MSRP_DNS_SERVERS: [{
    value: "192.0.2.53, 192.0.2.53:5353,2001:db8::53,[2001:db8::53]:5353",
    of: ({ dnsServers }) => dnsServers,
    is: ["192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:5353"]
  }],
  MSRP_SOCKET_ROUTES: [{
    value: "dst=10.0.0.0/8 -> msrp:10.0.0.1:2855; scheme=msrps -> none",
    of: ({ socketRules }) => socketRules.map(({ use }) => use),
    is: [{ scheme: "msrp", host: "10.0.0.1", port: 2855 }, "none"]
  }],
  MSRP_CREDENTIALS: [
    {
      value: "File",
      beside: { MSRP_USERS: "a:b", MSRP_CREDENTIALS_FILE: "/users" },
      of: ({ credentials }) => credentials,
      is: { _tag: "File", path: "/users", calculateHa1: false }
    },
    {
      value: "memory",
      beside: { MSRP_USERS: "a:b", MSRP_CREDENTIALS_FILE: "/nowhere" },
      of: revealed,
      is: [["a", undefined, "b"]]
    }
  ],
  MSRP_CREDENTIALS_CACHE: [{
    value: "0",
    beside: { MSRP_HTTP_URL: "http://localhost" },
    of: ({ credentials }) => "cacheSeconds" in credentials && credentials.cacheSeconds,
    is: 0
  }],
  MSRP_SQL_URL: [{
    value: "mysql://u:p@db/opensips",
    of: ({ credentials }) => credentials._tag === "Sql" && [Redacted.value(credentials.url), credentials.calculateHa1],
    is: ["mysql://u:p@db/opensips", false]
  }],
  MSRP_SQL_TABLE: [{ value: "msrp.users", beside: sqlBeside, of: tableOf("table"), is: "msrp.users" }],
  MSRP_SQL_USERNAME_COLUMN: [{ value: "name", beside: sqlBeside, of: tableOf("username"), is: "name" }],
  MSRP_SQL_DOMAIN_COLUMN: [
    { value: "realm", beside: sqlBeside, of: tableOf("domain"), is: "realm" },
    { value: "none", beside: sqlBeside, of: tableOf("domain"), is: undefined }
  ],
  MSRP_SQL_PASSWORD_COLUMN: [{ value: "secret", beside: sqlBeside, of: tableOf("password"), is: "secret" }],
  MSRP_SQL_HA1_COLUMN: [{ value: "digest", beside: sqlBeside, of: tableOf("ha1"), is: "digest" }],
  MSRP_SQL_HA1_SHA256_COLUMN: [{ value: "ha1_sha256", beside: sqlBeside, of: tableOf("ha1Sha256"), is: "ha1_sha256" }],
  MSRP_HTTP_URL: [{
    value: "https://users.example.com/msrp",
    of: ({ credentials }) =>
      credentials._tag === "Http" && [credentials.url, credentials.token, credentials.cacheSeconds],
    is: ["https://users.example.com/msrp", undefined, 30]
  }],
  MSRP_HTTP_TOKEN: [{
    value: "t0ken",
    beside: { MSRP_HTTP_URL: "http://localhost" },
    of: ({ credentials }) => credentials._tag === "Http" && credentials.token && Redacted.value(credentials.token),
    is: "t0ken"
  }],
  MSRP_EPHEMERAL_SECRET: [{
    value: "north, pole",
    of: ({ credentials }) => credentials._tag === "Ephemeral" && Redacted.value(credentials.secret),
    is: "north, pole"
  }],
  MSRP_REALMS_WITHOUT_MD5: [{
    value: "a.example, our realm",
    of: ({ digest }) => digest.realmsWithoutMd5,
    is: ["a.example", "our realm"]
  }],
  MSRP_USERS: [{
    value: "alice:secret, bob@example.org:a:b@c,carol%40example.org:50%25%2C,d%C3%A4n:%20x%20,alice@example.org:s",
    of: revealed,
    is: [
      ["alice", undefined, "secret"],
      ["bob", "example.org", "a:b@c"],
      ["carol@example.org", undefined, "50%,"],
      ["dän", undefined, " x "],
      ["alice", "example.org", "s"]
    ]
  }],
  MSRP_CREDENTIALS_FILE: [{
    value: "/users",
    of: ({ credentials }) => credentials,
    is: { _tag: "File", path: "/users", calculateHa1: false }
  }],
  MSRP_CALCULATE_HA1: [
    {
      value: "no",
      beside: { MSRP_USERS: `alice@r:${HA1.toUpperCase()},alice@r:${HA1}${HA1}` },
      of: (settings) => inspect(revealed(settings), { depth: 5 }).match(/MD5|SHA-256/g),
      is: ["MD5", "SHA-256"]
    },
    {
      value: "1",
      beside: { MSRP_CREDENTIALS_FILE: "/passwords" },
      of: ({ credentials }) => credentials,
      is: { _tag: "File", path: "/passwords", calculateHa1: true }
    }
  ],
  MSRP_AUTH_REALM: [{ value: "Example Realm", of: ({ auth }) => auth.realm, is: "Example Realm" }],
  MSRP_AUTH_EXPIRES: [{ value: "30s", of: ({ auth }) => auth.expires, is: 30 }],
  MSRP_AUTH_MIN_EXPIRES: [{ value: "1 minute", of: ({ auth }) => auth.minExpires, is: 60 }],
  MSRP_AUTH_MAX_EXPIRES: [{ value: "1.5h", of: ({ auth }) => auth.maxExpires, is: 5400 }],
  MSRP_NONCE_EXPIRE: [{ value: "1500ms", of: ({ digest }) => Duration.toSeconds(digest.nonceExpire), is: 1.5 }],
  MSRP_DIGEST_ALGORITHMS: [
    { value: "md5, sha-256", of: ({ digest }) => digest.algorithms, is: ["MD5", "SHA-256"] },
    { value: "MD5", of: ({ digest }) => digest.algorithms, is: ["MD5"] }
  ],
  MSRP_AUTH_FREE_FAILURES: [{ value: "3", of: ({ digest }) => digest.freePerUser, is: 3 }],
  MSRP_AUTH_FREE_FAILURES_PER_ADDRESS: [{ value: "4", of: ({ digest }) => digest.freePerAddress, is: 4 }],
  MSRP_ALLOW_PLAINTEXT_AUTH: [{ value: "YES", of: ({ auth }) => auth.allowPlaintext, is: true }],
  MSRP_MAX_FAILED_AUTH: [{ value: "7", of: ({ limits }) => limits.failedAuths, is: 7 }],
  MSRP_TLS_CERT: [{
    value: "/relay.crt",
    beside: { MSRP_TLS_KEY: "/relay.key" },
    of: ({ selfSigned, tls, tlsFiles }) => [tls.cert, tlsFiles.cert, selfSigned],
    is: [relay.cert, ["/relay.crt"], undefined]
  }, {
    value: "/relay.crt, /localhost.crt",
    beside: { MSRP_TLS_KEY: "/relay.key,/localhost.key" },
    of: ({ tls }) => [tls.cert, tls.others?.map(({ cert, key }) => [cert, Redacted.value(key)])],
    is: [relay.cert, [[localhost.cert, Redacted.value(localhost.key)]]]
  }],
  MSRP_TLS_KEY: [{
    value: "/relay.key",
    beside: { MSRP_TLS_CERT: "/relay.crt" },
    of: ({ tls, tlsFiles }) => [Redacted.value(tls.key!), tlsFiles.key],
    is: [Redacted.value(relay.key), ["/relay.key"]]
  }],
  MSRP_TLS_CA: [{ value: "/ca.crt", of: ({ tls, tlsFiles }) => [tls.ca, tlsFiles.ca], is: [ca, "/ca.crt"] }],
  MSRP_TLS_ALLOW_SELF_SIGNED: [{ value: "on", of: ({ transport }) => transport.allowSelfSigned, is: true }],
  MSRP_RELAY_PEERS: [
    { value: "none", of: ({ relayPeers }) => relayPeers, is: "none" },
    {
      value: "Relay.example.net., *.relays.example.com",
      of: ({ relayPeers }) => relayPeers,
      is: ["relay.example.net", "*.relays.example.com"]
    }
  ],
  MSRP_HASH_SIZE: [
    { value: "1", of: ({ sessions }) => sessions.hashSize, is: 1 },
    { value: "20", of: ({ sessions }) => sessions.hashSize, is: 20 }
  ],
  MSRP_CLEANUP_INTERVAL: [{ value: "5 minutes", of: ({ sessions }) => sessions.cleanupInterval, is: 300 }],
  MSRP_MAX_SESSIONS: [{ value: "17", of: ({ sessions }) => sessions.maxSessions, is: 17 }],
  MSRP_MAX_SESSIONS_PER_USER: [{ value: "7", of: ({ sessions }) => sessions.maxSessionsPerUser, is: 7 }],
  MSRP_MAX_TRANSACTIONS: [{ value: "100", of: ({ limits }) => limits.transactions, is: 100 }],
  MSRP_SESSION_MESSAGE_RATE: [{ value: "5", of: ({ limits }) => limits.requestRate, is: 5 }],
  MSRP_SESSION_OCTET_RATE: [{ value: "1 MiB", of: ({ limits }) => limits.octetRate, is: 1_048_576 }],
  MSRP_MAX_SESSIONS_PER_CONNECTION: [{ value: "3", of: ({ limits }) => limits.sessionsPerConnection, is: 3 }],
  MSRP_EXTEND_ACTIVE_SESSIONS: [{ value: "yes", of: ({ sessions }) => sessions.extendActive, is: true }],
  MSRP_MAX_CONNECTIONS: [{ value: "12", of: ({ limits }) => limits.connections, is: 12 }],
  MSRP_MAX_CONNECTIONS_PER_ADDRESS: [{ value: "7", of: ({ limits }) => limits.connectionsPerAddress, is: 7 }],
  MSRP_MAX_CONNECTIONS_IN_PROBATION: [{ value: "8", of: ({ limits }) => limits.connectionsInProbation, is: 8 }],
  MSRP_IDLE_LIMIT: [{ value: "1 day", of: ({ limits }) => limits.idle, is: 86_400 }],
  MSRP_MAX_DIALS: [{ value: "9", of: ({ limits }) => limits.dials, is: 9 }],
  MSRP_NEXT_HOP_ALLOW: [
    {
      value: "10.1.2.3, *.example.com,2001:db8::/32",
      of: ({ nextHops }) => nextHops.allow,
      is: ["10.1.2.3", "*.example.com", "2001:db8::/32"]
    }
  ],
  MSRP_NEXT_HOP_DENY: [
    { value: "0.0.0.0/0,host", of: ({ nextHops }) => nextHops.deny, is: ["0.0.0.0/0", "host"] }
  ],
  MSRP_NEXT_HOP_PORTS: [
    {
      value: "2855, 49152-65535",
      of: ({ nextHops }) => nextHops.ports,
      is: [{ first: 2855, last: 2855 }, { first: 49_152, last: 65_535 }]
    },
    { value: "any", of: ({ nextHops }) => nextHops.ports, is: [{ first: 1, last: 65_535 }] }
  ],
  MSRP_CONNECT_TIMEOUT: [{ value: "2.5", of: ({ transport }) => transport.connectTimeout, is: 2.5 }],
  MSRP_STALL_LIMIT: [{ value: "1 Min", of: ({ limits }) => limits.stall, is: 60 }],
  MSRP_OUTPUT_LIMIT: [
    { value: "65536", of: ({ limits }) => limits.output, is: 65_536 },
    { value: "64 kB", of: ({ limits }) => limits.output, is: 64_000 }
  ],
  MSRP_SESSION_BUFFER: [{ value: "1.5MiB", of: ({ limits }) => limits.session, is: 1_572_864 }],
  MSRP_LOG_LEVEL: [{ value: "DEBUG", of: ({ log }) => log.level, is: "Debug" }],
  MSRP_LOG_FORMAT: [
    { value: "json", of: ({ log }) => log.format, is: "json" },
    { value: "LogFmt", of: ({ log }) => log.format, is: "logfmt" }
  ]
}

/** Values that no variable of this name may have. */
const bad: Record<string, ReadonlyArray<string>> = {
  MSRP_URIS: [
    "relay.example.com",
    "sip:relay.example.com",
    "msrp://relay.example.com",
    "msrp://relay.example.com;ws",
    "msrp://relay.example.com;tcp;a=b",
    "msrp://relay.example.com:0;tcp",
    "msrp://relay.example.com:65536;tcp",
    "msrp://:2855;tcp",
    "msrp://relay.example.com/abc;tcp",
    "msrp://alice@relay.example.com;tcp",
    "msrp://0.0.0.0:2855;tcp",
    "msrp://[0::0];tcp",
    "msrp://relay.example.com;tcp,",
    "msrp://relay.example.com;tcp,msrp://RELAY.example.com:2855;tcp"
  ],
  MSRP_USE_PATH: ["msrps://a.example;tcp,msrps://b.example;tcp", "one.example.com", "msrp://a.example/x;tcp"],
  MSRP_LISTEN: ["2855", "msrp:192.0.2.1", "msrp:192.0.2.1:0", "tcp:192.0.2.1:2855", "msrp:::1:2855", "msrp:h:99999"],
  MSRP_DNS_SERVERS: ["dns.example.com", "192.0.2.53:70000", "192.0.2.53:", "[192.0.2.53", ","],
  MSRP_SOCKET_ROUTES: ["dst=10.0.0.0/8", "dst=10.0.0.0/99 -> none"],
  MSRP_CREDENTIALS: ["ldap", "memory,file"],
  MSRP_CREDENTIALS_CACHE: ["-1", "2 days"],
  MSRP_SQL_URL: ["postgres:db", "oracle://db", "/users.db", "sqlite:"],
  MSRP_SQL_TABLE: ["a b", "users; DROP TABLE users", "1a", "a.b.c", "a\"b"],
  MSRP_SQL_USERNAME_COLUMN: ["a-b", "none of these"],
  MSRP_SQL_DOMAIN_COLUMN: ["a'b"],
  MSRP_SQL_PASSWORD_COLUMN: ["`a`"],
  MSRP_SQL_HA1_COLUMN: ["a,b"],
  MSRP_SQL_HA1_SHA256_COLUMN: ["*"],
  MSRP_HTTP_URL: ["users.example.com", "ftp://users.example.com", "https://me:secret@users.example.com"],
  MSRP_HTTP_TOKEN: ["a\u0001b"],
  MSRP_EPHEMERAL_SECRET: ["a\u0007b"],
  MSRP_REALMS_WITHOUT_MD5: ["a,", "a\"b"],
  MSRP_USERS: ["alice", ":secret", "alice:", "alice@:secret", "a@b@c:secret", "alice:5%zz", "alice:%ff", "a:b,,c:d"],
  MSRP_CREDENTIALS_FILE: ["/nowhere", "/forbidden", "/passwords"],
  MSRP_CALCULATE_HA1: ["2", "maybe"],
  MSRP_AUTH_REALM: [`a"b`, "a\\b", "a\r\nb", "x".repeat(256)],
  MSRP_AUTH_EXPIRES: ["0", "-1", "1.5", "500ms", "soon", "5 fortnights", "366 days", "1e9", "Infinity", "90 s s"],
  MSRP_AUTH_MIN_EXPIRES: ["0", "1.5s", "x"],
  MSRP_AUTH_MAX_EXPIRES: ["0", "1.5s", "x"],
  MSRP_NONCE_EXPIRE: ["0", "2 days"],
  MSRP_DIGEST_ALGORITHMS: ["SHA-1", "MD5,MD5", "MD5,"],
  MSRP_AUTH_FREE_FAILURES: ["0", "five"],
  MSRP_AUTH_FREE_FAILURES_PER_ADDRESS: ["0", "-1"],
  MSRP_ALLOW_PLAINTEXT_AUTH: ["2", "ja"],
  MSRP_MAX_FAILED_AUTH: ["0", "1001"],
  MSRP_TLS_CERT: ["/nowhere", "/text", "/relay.crt,"],
  MSRP_TLS_KEY: ["/nowhere", "/text", "/encrypted.key", "/localhost.key", "/relay.key,/relay.key"],
  MSRP_TLS_CA: ["/nowhere", "/text"],
  MSRP_TLS_ALLOW_SELF_SIGNED: ["2"],
  MSRP_RELAY_PEERS: ["some relay", "relay.example.net,", "*", "msrps://relay.example.net", "a*.example.net"],
  MSRP_EXTEND_ACTIVE_SESSIONS: ["2"],
  MSRP_HASH_SIZE: ["0", "21", "ten", "1e1", "0x10", "10.5", "-3"],
  MSRP_CLEANUP_INTERVAL: ["0", "2 days"],
  MSRP_MAX_SESSIONS: ["0", "10000001"],
  MSRP_MAX_SESSIONS_PER_USER: ["0", "-1"],
  MSRP_MAX_TRANSACTIONS: ["0", "15"],
  MSRP_SESSION_MESSAGE_RATE: ["-1", "1.5", "1000001"],
  MSRP_SESSION_OCTET_RATE: ["1 KiB", "-1", "2 GiB"],
  MSRP_MAX_SESSIONS_PER_CONNECTION: ["0", "many"],
  MSRP_MAX_CONNECTIONS: ["0", "unlimited"],
  MSRP_MAX_CONNECTIONS_PER_ADDRESS: ["0", "none"],
  MSRP_MAX_CONNECTIONS_IN_PROBATION: ["0", "few"],
  MSRP_IDLE_LIMIT: ["59 minutes", "never"],
  MSRP_MAX_DIALS: ["0", "10001"],
  MSRP_NEXT_HOP_ALLOW: ["10.0.0.0/33", "msrp://a.example", "10.0.0", "a b", "10.0.0.0/8,"],
  MSRP_NEXT_HOP_DENY: ["::/129", "*", "a*.example", "1.2.3.4/"],
  MSRP_NEXT_HOP_PORTS: ["0", "65536", "5-4", "msrp", "2855,", "1-2-3"],
  MSRP_CONNECT_TIMEOUT: ["0", "2h"],
  MSRP_STALL_LIMIT: ["0", "never"],
  MSRP_OUTPUT_LIMIT: ["1", "1 KiB", "2 GiB", "1.0001 KiB", "128 apples", "-1"],
  MSRP_SESSION_BUFFER: ["1", "lots"],
  MSRP_LOG_LEVEL: ["loud", "1"],
  MSRP_LOG_FORMAT: ["xml"]
}

const pemBeside: Env = { MSRP_TLS_CERT: "/relay.crt", MSRP_TLS_KEY: "/relay.key" }

describe("Settings", () => {
  describe("every variable", () => {
    it("has a case of each kind here", () => {
      const names = settingsTable.map(({ variable }) => variable).sort()
      assert.deepStrictEqual(Object.keys(cases).sort(), names)
      assert.deepStrictEqual(Object.keys(bad).sort(), names)
    })

    const good = Object.entries(cases).flatMap(([variable, all]) => all.map((one) => ({ variable, ...one })))
    it.effect.each(good)("$variable=$value is read", ({ beside, is, of, value, variable }) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(of(yield* parse({ ...beside, [variable]: value })), is)
        if (variable !== "MSRP_USERS") {
          const without = yield* Effect.result(parse({ ...beside, [variable]: "" }))
          if (Result.isSuccess(without)) assert.notDeepEqual(of(without.success), is, "it is the default anyway")
        }
      }))

    const wrong = Object.entries(bad).flatMap(([variable, values]) => values.map((value) => ({ variable, value })))
    it.effect.each(wrong)("$variable=$value is a problem", ({ value, variable }) =>
      Effect.gen(function*() {
        const beside = variable.startsWith("MSRP_TLS_") ? pemBeside : variable === "MSRP_USERS" ? {} : users
        const kind = variable === "MSRP_CREDENTIALS_FILE" ? { MSRP_CREDENTIALS: "file" } : {}
        const { message, problems } = yield* Effect.flip(parse({ ...beside, ...kind, [variable]: value }))
        assert.deepStrictEqual(problems.map((one) => one.variable), [variable])
        assert.notStrictEqual(problems[0]!.problem, "")
        assert.include(message, variable)
      }))

    it.effect.each(settingsTable.map((setting) => ({ ...setting })))(
      "$variable has an example that works",
      (setting) =>
        Effect.gen(function*() {
          const { example, variable } = setting
          files[example] ??= variable === "MSRP_TLS_KEY"
            ? Redacted.value(relay.key)
            : variable === "MSRP_CREDENTIALS_FILE"
            ? `alice:example.org:${HA1}`
            : relay.cert
          const beside: Env = variable === "MSRP_CREDENTIALS" ? { MSRP_CREDENTIALS_FILE: "/users" } : remote
          const sources = ["MSRP_CREDENTIALS_FILE", "MSRP_SQL_URL", "MSRP_HTTP_URL", "MSRP_EPHEMERAL_SECRET"]
          const others = sources.includes(variable) ? { MSRP_USERS: undefined } : {}
          yield* parse({ ...beside, ...others, [variable]: example })
        })
    )
  })

  describe("without configuration", () => {
    it.effect("serves the own machine, with a certificate made at start and a demo user", () =>
      Effect.gen(function*() {
        const settings = yield* parse({ PATH: "/bin", MSRP_USERS: "", MSRP_URIS: " " })
        assert.deepStrictEqual(uriTexts(settings), [
          "msrp://localhost:2855;tcp",
          "msrps://localhost:2856;tcp",
          "msrp://127.0.0.1:2855;tcp",
          "msrp://[::1]:2855;tcp",
          "msrps://127.0.0.1:2856;tcp",
          "msrps://[::1]:2856;tcp"
        ])
        assert.includeMembers(sockets(settings), ["msrp 127.0.0.1 2855", "msrps 127.0.0.1 2856"])
        for (const { host } of settings.listeners) assert.isTrue(isLoopback(host))
        assert.deepStrictEqual(settings.selfSigned, ["localhost", "127.0.0.1", "::1"])
        assert.isFalse(settings.auth.allowPlaintext)
        assert.deepStrictEqual(settings.warnings, [])
        const password = Redacted.value(settings.demo!.password)
        assert.match(password, /^[\w-]{16}$/)
        assert.deepStrictEqual(revealed(settings), [["demo", undefined, password]])
        const other = yield* parse({})
        assert.notStrictEqual(Redacted.value(other.demo!.password), password)
      }))

    it.effect("has the defaults that the table tells", () =>
      Effect.gen(function*() {
        const explicit = Object.fromEntries(
          settingsTable.flatMap(({ default: text, variable }) => text === undefined ? [] : [[variable, text]])
        )
        const { sessions, auth, ...rest } = yield* parse(users)
        assert.deepStrictEqual({ ...rest, auth, sessions }, yield* parse({ ...explicit, ...users }))
        assert.strictEqual(auth.expires, 1800)
        assert.strictEqual(sessions.hashSize, 10)
        assert.strictEqual(sessions.cleanupInterval, 60)
        assert.strictEqual(Duration.toSeconds(rest.digest.nonceExpire), 30)
        assert.deepStrictEqual(rest.digest.algorithms, ["SHA-256", "MD5"])
        assert.strictEqual(auth.minExpires, undefined)
        assert.strictEqual(auth.maxExpires, undefined)
      }))

    it.effect("keeps the demo user when only something else is set", () =>
      Effect.gen(function*() {
        assert.isDefined((yield* parse({ MSRP_LOG_LEVEL: "debug", MSRP_AUTH_EXPIRES: "60" })).demo)
      }))

    it.effect.each([
      { MSRP_URIS: "msrp://localhost;tcp" },
      { MSRP_LISTEN: "msrp:127.0.0.1:2855" },
      { MSRP_CREDENTIALS: "memory" },
      { MSRP_CALCULATE_HA1: "0" }
    ])("wants users once there is %o", (env) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(Object.keys(yield* problemsOf(env)), ["MSRP_USERS"])
      }))
  })

  describe("addresses", () => {
    it.effect("binds localhost by its addresses, once each", () =>
      Effect.gen(function*() {
        const settings = yield* parse({ ...users, MSRP_LISTEN: "msrp:127.0.0.1:7,msrp:localhost:7,msrp:LOCALHOST:8" })
        const ipv4 = sockets(settings).filter((socket) => socket.includes("127.0.0.1"))
        assert.deepStrictEqual(ipv4, ["msrp 127.0.0.1 7", "msrp 127.0.0.1 8"])
        assert.isTrue(sockets(settings).every((socket) => !socket.toLowerCase().includes("localhost")))
      }))

    it.effect.each([
      "msrp:192.0.2.1:2855,msrps:192.0.2.1:2855",
      "msrp:192.0.2.1:2855,msrp:192.0.2.1:2855",
      "msrp:0.0.0.0:2855,msrp:192.0.2.1:2855",
      "msrp:[2001:db8::1]:2855,msrp:[::]:2855",
      "msrp:[2001:db8::1]:2855,msrp:[2001:DB8:0::1]:2855",
      "msrp:localhost:2855,msrps:127.0.0.1:2855"
    ])("MSRP_LISTEN=%s has two on one address", (listen) =>
      Effect.gen(function*() {
        assert.include((yield* problemsOf({ ...remote, MSRP_LISTEN: listen }))["MSRP_LISTEN"], "same address")
      }))

    it.effect("URIs that need two listeners on one address are a problem, unless MSRP_LISTEN has others", () =>
      Effect.gen(function*() {
        const env = { ...remote, MSRP_URIS: "msrp://relay.example.com:1;tcp,msrps://relay.example.com:1;tcp" }
        assert.include((yield* problemsOf(env))["MSRP_URIS"], "same address")
        yield* parse({ ...env, MSRP_LISTEN: "msrps:0.0.0.0:1,msrps:[2001:db8::1]:1" })
      }))

    it.effect("listening on all addresses needs URIs", () =>
      Effect.gen(function*() {
        const problems = yield* problemsOf({ ...users, MSRP_LISTEN: "msrp:[0:0::0]:2855" })
        assert.deepStrictEqual(Object.keys(problems), ["MSRP_URIS"])
      }))

    it.effect("R4976-9.2: warns when AUTH is possible nowhere", () =>
      Effect.gen(function*() {
        const env = { ...users, MSRP_URIS: "msrp://relay.example.com;tcp" }
        assert.include((yield* parse(env)).warnings[0], "MSRP_ALLOW_PLAINTEXT_AUTH")
        assert.deepStrictEqual((yield* parse({ ...env, MSRP_ALLOW_PLAINTEXT_AUTH: "1" })).warnings, [])
        assert.deepStrictEqual((yield* parse({ ...env, MSRP_LISTEN: "msrp:127.9.9.9:2855" })).warnings, [])
      }))

    it.each([
      ["localhost", true],
      ["LocalHost.", true],
      ["a.localhost", true],
      ["127.0.0.1", true],
      ["127.255.0.3", true],
      ["0:0:0:0:0:0:0:1", true],
      ["::ffff:127.0.0.1", true],
      ["0.0.0.0", false],
      ["::", false],
      ["128.0.0.1", false],
      ["127.example.com", false],
      ["notlocalhost", false],
      ["::ffff:192.0.2.1", false]
    ])("isLoopback(%s) is %s", (host, expected) => {
      assert.strictEqual(isLoopback(host), expected)
    })
  })

  describe("users", () => {
    it.effect.each<readonly [string, Env, string]>([
      ["a user twice", { MSRP_USERS: "alice:one,alice:two" }, "entry 2"],
      ["a user of a realm twice", { MSRP_USERS: "a@r:one,alice:x,a@r:three" }, "entry 3"],
      ["a name in two spellings", { MSRP_USERS: "caf\u00e9:one,cafe\u0301:two" }, "entry 2"],
      [
        "a password where an H(A1) is wanted",
        { MSRP_USERS: `a@r:${HA1},b:hunter2`, MSRP_CALCULATE_HA1: "0" },
        "entry 2"
      ],
      ["an H(A1) of a user twice", { MSRP_USERS: `a@r:${HA1},a@r:${HA1}`, MSRP_CALCULATE_HA1: "0" }, "entry 2"]
    ])("%s is a problem", ([, env, where]) =>
      Effect.gen(function*() {
        assert.include((yield* problemsOf(env))["MSRP_USERS"], where)
      }))

    it.effect("a file is needed when it is chosen", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(
          Object.keys(yield* problemsOf({ ...users, MSRP_CREDENTIALS: "file" })),
          ["MSRP_CREDENTIALS_FILE"]
        )
      }))

    it.effect("what a backend says itself is not set, and who sets it is warned", () =>
      Effect.gen(function*() {
        const set = { MSRP_CALCULATE_HA1: "0" }
        for (const env of [{ MSRP_HTTP_URL: "https://users.example.com/" }, { MSRP_EPHEMERAL_SECRET: "x" }]) {
          assert.deepStrictEqual((yield* parse(env)).warnings, [])
          assert.include((yield* parse({ ...env, ...set })).warnings[0], "MSRP_CALCULATE_HA1 is not used")
        }
      }))

    it.effect("two sources need a choice, and the other is warned of", () =>
      Effect.gen(function*() {
        const both = { ...users, MSRP_CREDENTIALS_FILE: "/users" }
        assert.deepStrictEqual(Object.keys(yield* problemsOf(both)), ["MSRP_CREDENTIALS"])
        assert.include((yield* parse({ ...both, MSRP_CREDENTIALS: "file" })).warnings[0], "MSRP_USERS is not used")
        assert.include((yield* parse({ ...both, MSRP_CREDENTIALS: "memory" })).warnings[0], "FILE is not used")
        for (
          const [kind, variable] of [["sql", "SQL_URL"], ["http", "HTTP_URL"], [
            "ephemeral",
            "EPHEMERAL_SECRET"
          ]] as const
        ) assert.deepStrictEqual(Object.keys(yield* problemsOf({ MSRP_CREDENTIALS: kind })), [`MSRP_${variable}`])
      }))
  })

  describe("expiry", () => {
    it.effect.each<readonly [Env, string]>([
      [{ MSRP_AUTH_MIN_EXPIRES: "3600", MSRP_AUTH_EXPIRES: "1800" }, "MSRP_AUTH_EXPIRES"],
      [{ MSRP_AUTH_MAX_EXPIRES: "10 minutes", MSRP_AUTH_EXPIRES: "1800" }, "MSRP_AUTH_EXPIRES"],
      [{ MSRP_AUTH_MIN_EXPIRES: "61", MSRP_AUTH_EXPIRES: "60" }, "MSRP_AUTH_EXPIRES"],
      [{ MSRP_AUTH_MIN_EXPIRES: "2h", MSRP_AUTH_MAX_EXPIRES: "1h" }, "MSRP_AUTH_MIN_EXPIRES"]
    ])("%o is out of order", ([env, variable]) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(Object.keys(yield* problemsOf(env)), [variable])
      }))

    it.effect.each<readonly [Env, number]>([
      [{}, 1800],
      [{ MSRP_AUTH_MIN_EXPIRES: "60", MSRP_AUTH_MAX_EXPIRES: "1h" }, 1800],
      [{ MSRP_AUTH_MIN_EXPIRES: "1h" }, 3600],
      [{ MSRP_AUTH_MAX_EXPIRES: "10 minutes" }, 600],
      [{ MSRP_AUTH_MIN_EXPIRES: "60", MSRP_AUTH_MAX_EXPIRES: "60" }, 60]
    ])("%o alone is enough: the default follows", ([env, expires]) =>
      Effect.gen(function*() {
        assert.strictEqual((yield* parse(env)).auth.expires, expires)
      }))

    it.effect("the bounds themselves are good", () =>
      Effect.gen(function*() {
        const { auth } = yield* parse({
          MSRP_AUTH_MIN_EXPIRES: "60",
          MSRP_AUTH_EXPIRES: "60",
          MSRP_AUTH_MAX_EXPIRES: "60"
        })
        assert.deepStrictEqual([auth.minExpires, auth.expires, auth.maxExpires], [60, 60, 60])
      }))
  })

  describe("TLS", () => {
    it.effect("certificate and key come together", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(Object.keys(yield* problemsOf({ MSRP_TLS_CERT: "/relay.crt" })), ["MSRP_TLS_KEY"])
        assert.deepStrictEqual(Object.keys(yield* problemsOf({ MSRP_TLS_KEY: "/relay.key" })), ["MSRP_TLS_CERT"])
      }))

    it.effect.each([
      { MSRP_URIS: "msrps://relay.example.com;tcp" },
      { MSRP_LISTEN: "msrps:192.0.2.1:2856" },
      // who comes from elsewhere to one listener may be shown the certificate of the other
      { MSRP_LISTEN: "msrps:127.0.0.1:2856,msrp:192.0.2.1:2855" }
    ])("%o needs a certificate", (env) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(Object.keys(yield* problemsOf({ ...users, ...env })), ["MSRP_TLS_CERT"])
      }))

    it.effect("on loopback one is made, for the names that clients use", () =>
      Effect.gen(function*() {
        const named = yield* parse({ ...users, MSRP_URIS: "msrps://a.localhost;tcp", MSRP_LISTEN: "msrps:[::1]:2855" })
        assert.deepStrictEqual(named.selfSigned, ["a.localhost", "::1"])
        const plain = yield* parse({ ...users, MSRP_URIS: "msrp://localhost;tcp" })
        assert.strictEqual(plain.selfSigned, undefined)
      }))

    it.effect("warns of a certificate for another name, and of one out of date", () =>
      Effect.gen(function*() {
        // the certificates of these tests are made when they start
        yield* TestClock.setTime(new Date().getTime())
        assert.deepStrictEqual((yield* parse(remote)).warnings, [])
        const other = yield* parse({ ...remote, MSRP_URIS: "msrps://other.example.com;tcp" })
        assert.include(other.warnings[0], "not for other.example.com")
        const both = { MSRP_TLS_CERT: "/relay.crt,/localhost.crt", MSRP_TLS_KEY: "/relay.key,/localhost.key" }
        const names = { MSRP_URIS: "msrps://localhost:1;tcp,msrps://relay.example.com;tcp" }
        assert.deepStrictEqual((yield* parse({ ...remote, ...both, ...names })).warnings, [])
        yield* TestClock.adjust("2 hours")
        assert.include((yield* parse(remote)).warnings[0], "has expired")
        yield* TestClock.setTime(0)
        assert.include((yield* parse(remote)).warnings[0], "valid only from")
      }))
  })

  describe("errors", () => {
    it.effect("are all told at once, each with an example that can be copied into a shell", () =>
      Effect.gen(function*() {
        const all = Object.fromEntries(Object.entries(bad).map(([variable, [value]]) => [variable, value!]))
        const { message, problems } = yield* Effect.flip(parse({ ...all, MSRP_NONSENSE: "x" }))
        const told = problems.map(({ variable }) => variable)
        // a path is looked at only once it is known what for
        const expected = Object.keys(bad).filter((variable) => variable !== "MSRP_CREDENTIALS_FILE")
        assert.deepStrictEqual(told.sort(), [...expected, "MSRP_NONSENSE"].sort())
        for (const { example, problem, variable } of problems) {
          assert.include(message, `${variable}: ${problem}`)
          if (variable !== "MSRP_NONSENSE") assert.isDefined(example)
        }
        assert.include(message, "MSRP_URIS='msrp://relay.example.org:2855;tcp,")
      }))

    it.effect.each([
      ["MSRP_UIRS", "MSRP_URIS"],
      ["MSRP_URI", "MSRP_URIS"],
      ["MSRP_LOGLEVEL", "MSRP_LOG_LEVEL"],
      ["MSRP_log_level", "MSRP_LOG_LEVEL"],
      ["MSRP_MY_URI", "MSRP_URIS"],
      ["MSRP_NONCE_EXPIRES", "MSRP_NONCE_EXPIRE"],
      ["MSRP_CREDENTIALS_FILE_2", "MSRP_CREDENTIALS_FILE"],
      ["MSRP_HASH_SIZE_0", "MSRP_HASH_SIZE"],
      ["MSRP_BANANA", undefined],
      ["MSRP_7", undefined],
      ["MSRP_4294967294", undefined],
      ["MSRP__", undefined],
      ["MSRP___proto__", undefined]
    ])("%s is not a variable; meant is %s", ([variable, meant]) =>
      Effect.gen(function*() {
        const problems = yield* problemsOf({ [variable!]: "hunter2" })
        assert.deepStrictEqual(Object.keys(problems), [variable])
        if (meant === undefined) assert.notInclude(problems[variable!], "did you mean")
        else assert.include(problems[variable!], `did you mean ${meant}?`)
      }))

    it.effect("what container platforms set, other prefixes, and empty ones are no problem", () =>
      Effect.gen(function*() {
        yield* parse({
          MSRP_RELAY_SERVICE_HOST: "10.0.0.1",
          MSRP_RELAY_SERVICE_PORT: "2855",
          MSRP_RELAY_SERVICE_PORT_TLS: "2856",
          MSRP_RELAY_PORT: "tcp://10.0.0.1:2855",
          MSRP_RELAY_PORT_2855_TCP: "tcp://10.0.0.1:2855",
          MSRP_RELAY_PORT_2855_TCP_ADDR: "10.0.0.1",
          MSRP_NOTHING: "",
          MSRP: "x",
          MSRPX_URIS: "x"
        })
        assert.deepStrictEqual(Object.keys(yield* problemsOf({ MSRP_PORT: "2855" })), ["MSRP_PORT"])
      }))

    const secret = "hunter2-Tr0ub4dor"
    it.effect.each([
      { MSRP_USERS: secret },
      { MSRP_USERS: `alice:${secret}%zz` },
      { MSRP_USERS: `alice:x,,alice:${secret},alice:${secret}` },
      { MSRP_USERS: `a@b@c:${secret}` },
      { MSRP_USERS: `alice:${secret}`, MSRP_CALCULATE_HA1: "0" },
      { MSRP_URIS: `msrp://alice:${secret}@relay.example.com;tcp` },
      { MSRP_URIS: `msrp://alice:${secret}@@;tcp` },
      { MSRP_URIS: `msrp://relay.example.com:2855/${secret};tcp` },
      { MSRP_CALCULATE_HA1: secret, MSRP_HASH_SIZE: secret, MSRP_LOG_LEVEL: secret, MSRP_USRES: `a:${secret}` },
      { MSRP_USERS: `alice:${secret}`, MSRP_HASH_SIZE: "0" }
    ])("never have a secret in them: %o", (env) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(parse(env))
        assert.notInclude(error.message, secret)
        assert.notInclude(inspect(error, { depth: 9 }), secret)
        assert.notInclude(JSON.stringify(error), secret)
      }))

    it.effect("settings that are printed show no secret", () =>
      Effect.gen(function*() {
        const settings = yield* parse({ ...remote, MSRP_USERS: `alice:${secret}` })
        const demo = yield* parse({})
        const text = inspect([settings, demo], { depth: 9 }) + JSON.stringify([settings, demo])
        assert.notInclude(text, secret)
        assert.notInclude(text, "PRIVATE KEY")
        assert.notInclude(text, Redacted.value(demo.demo!.password))
      }))

    const names = settingsTable.map(({ variable }) => variable)
    const texts = fc.oneof(
      fc.constantFrom(...settingsTable.map(({ example }) => example), ...Object.values(bad).flat()),
      fc.string({ unit: "binary", maxLength: 60 }),
      fc.stringMatching(/^[-msrp:/[\]@;,.%0-9a-f >=*]{0,60}$/)
    )
    const environments = fc.dictionary(
      fc.oneof(
        { arbitrary: fc.constantFrom(...names), weight: 5 },
        { arbitrary: fc.string({ maxLength: 20 }).map((name) => `MSRP_${name}`), weight: 1 },
        { arbitrary: fc.string({ maxLength: 20 }), weight: 1 }
      ),
      texts,
      { maxKeys: 12 }
    )

    it.effect("any environment gives settings that fit together, or an error", () =>
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(environments, async (env) => {
            const result = await Effect.runPromise(Effect.result(parse(env)))
            if (Result.isFailure(result)) {
              assert.isAbove(result.failure.problems.length, 0)
              for (const { variable } of result.failure.problems) assert.isTrue(variable.startsWith("MSRP_"))
              return
            }
            const { auth, listeners, selfSigned, tls, uris } = result.success
            assert.isAbove(uris.length, 0)
            for (const uri of uris) assert.isTrue(uri.port! > 0 && uri.sessionId === undefined)
            assert.isAbove(listeners.length, 0)
            const bound = listeners.map(({ host, port }) => `${canonicalHost(host)} ${port}`)
            assert.strictEqual(new Set(bound).size, bound.length)
            if (listeners.some(({ scheme }) => scheme === "msrps")) {
              assert.isTrue(tls.cert !== undefined || (selfSigned?.length ?? 0) > 0)
              assert.isTrue(tls.cert !== undefined || listeners.every(({ host }) => isLoopback(host)))
            }
            assert.isAtMost(auth.minExpires ?? 0, auth.expires)
            assert.isAtLeast(auth.maxExpires ?? Infinity, auth.expires)
          }),
          { numRuns: 500 }
        )
      ))
  })

  describe("layer", () => {
    it.effect("reads what the ConfigProvider has", () =>
      Effect.gen(function*() {
        const { auth } = yield* Settings
        assert.strictEqual(auth.realm, "example.org")
      }).pipe(Effect.provide(Settings.layer.pipe(Layer.provide([
        disk,
        ConfigProvider.layer(ConfigProvider.fromEnvRecord({ MSRP_AUTH_REALM: "example.org" }))
      ])))))

    it.effect("fails with the problems", () =>
      Effect.gen(function*() {
        const provider = ConfigProvider.layer(ConfigProvider.fromEnvRecord({ MSRP_HASH_SIZE: "0", MSRP_TYPO: "1" }))
        const error = yield* Effect.flip(Layer.build(Settings.layer.pipe(Layer.provide([disk, provider]))))
        assert.deepStrictEqual(error.problems.map(({ variable }) => variable), ["MSRP_HASH_SIZE", "MSRP_TYPO"])
      }))
  })
})

describe("documents", () => {
  const file = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")
  const again = (path: string, what: string) =>
    `${path} is not what src/service/settings/Document.ts makes; write ${what} into it`

  it(".env.example is made from the table", () => {
    assert.strictEqual(file(".env.example"), envExample(), again(".env.example", "envExample()"))
  })

  it(".env.example can be read when all of it is uncommented", async () => {
    const text = file(".env.example").replaceAll(/^#(?=MSRP_)/gm, "")
    const lines = text.split("\n").filter((line) => line.startsWith("MSRP_"))
    const env = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)])
    )
    assert.deepStrictEqual(Object.keys(env), settingsTable.map(({ variable }) => variable))
    const fromFile = ConfigProvider.fromDotEnvContents(text)
    for (const [variable, value] of Object.entries(env)) {
      const node = await Effect.runPromise(fromFile.load([variable]))
      assert.strictEqual(node?.value, value)
    }
  })

  it("docs/configuration.md has the tables", () => {
    // without the blanks and lines that align the columns
    const plain = (text: string) => text.replaceAll(/ {2,}/g, " ").replaceAll(/-{3,}/g, "---")
    assert.include(
      plain(file("docs/configuration.md")),
      plain(markdownTables()),
      again("docs/configuration.md", "markdownTables()")
    )
  })
})

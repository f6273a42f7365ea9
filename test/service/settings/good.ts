/** Values that variables may have. */
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import { inspect } from "node:util"
import type { SubscriberTable } from "../../../src/credentials/Sql.ts"
import type { SettingsShape } from "../../../src/service/Settings.ts"
import { ca, localhost, relay } from "../../support/pki.ts"
import { type Env, HA1, remote, revealed, sockets, uriTexts, users } from "./environment.ts"

/** A value, and what must become of it. */
interface Case {
  readonly value: string
  /** Other variables that have to be there. */
  readonly beside?: Env
  readonly of: (settings: SettingsShape) => unknown
  readonly is: unknown
}

const hepBeside: Env = { MSRP_HEP: "udp:127.0.0.1:9060" }

const sqlBeside: Env = { MSRP_SQL_URL: "sqlite:/users.db" }

const tableOf = (name: keyof SubscriberTable) => ({ credentials }: SettingsShape) =>
  credentials._tag === "Sql" && credentials.table?.[name]

/** Whether proxies say by their header for whom they connect, on a listener for msrps and on one for wss. */
const proxyHeaders = ({ transport: { proxies } }: SettingsShape) =>
  (["tcp", "ws"] as const).map((transport) =>
    proxies?.header?.({ scheme: "msrps", transport, host: "192.0.2.1", port: 443 })
  )

const checkOf = ({ credentialsCheck }: SettingsShape) => credentialsCheck

/** A value of each variable, and where it must be found. */
export const cases: Record<string, ReadonlyArray<Case>> = {
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
      of: ({ relay }) => relay.usePath?.map(({ text }) => text),
      is: ["msrps://one.example.com:2855;tcp", "msrp://one.example.com:7;tcp"]
    },
    {
      value:
        "example.org = msrps://one.example.org;tcp, msrps://one.example.com;tcp,EXAMPLE.com=msrps://two.example.com;tcp",
      beside: { MSRP_URIS: "msrp://example.com;tcp,msrp://example.org:7;tcp", ...users },
      of: ({ relay }) => relay.usePath?.map(({ domain, text }) => `${domain} ${text}`),
      is: [
        "example.org msrps://one.example.org:2855;tcp",
        "undefined msrps://one.example.com:2855;tcp",
        "example.com msrps://two.example.com:2855;tcp"
      ]
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
    },
    {
      value: "msrps:192.0.2.1:2855,wss:192.0.2.1:443/msrp",
      beside: { ...remote, MSRP_URIS: undefined },
      of: ({ relay: { listen, uris } }) => [listen[1], uris.map(({ text }) => text)],
      is: [
        { scheme: "msrps", transport: "ws", path: "/msrp", host: "192.0.2.1", port: 443 },
        ["msrps://192.0.2.1:2855;tcp", "msrps://192.0.2.1:443;ws"]
      ]
    },
    {
      value: "WS:127.0.0.1:80",
      beside: { ...remote, MSRP_URIS: undefined },
      of: uriTexts,
      is: ["msrp://127.0.0.1:80;ws"]
    }
  ],
  MSRP_DNS_SERVERS: [{
    value: "192.0.2.53, 192.0.2.53:5353,2001:db8::53,[2001:db8::53]:5353",
    of: ({ resolver }) => resolver.servers,
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
      is: { _tag: "File", path: "/users", calculateHa1: false, realms: ["localhost", "127.0.0.1", "::1"] }
    },
    {
      value: "memory",
      beside: { MSRP_USERS: "a:b", MSRP_CREDENTIALS_FILE: "/nowhere" },
      of: revealed,
      is: [["a", undefined, "b"]]
    },
    {
      value: "file, example.net = Memory,b%3D=memory",
      beside: { MSRP_USERS: "a:b", MSRP_CREDENTIALS_FILE: "/users" },
      of: ({ credentials, warnings }) =>
        credentials._tag === "ByRealm" &&
        [
          credentials.others?._tag,
          Object.entries(credentials.realms).map(([realm, { _tag }]) => `${realm} ${_tag}`),
          warnings
        ],
      is: [
        "File",
        ["example.net Memory", "b= Memory"],
        [
          "MSRP_CREDENTIALS names example.net, b=, which no client is asked for (but for localhost, 127.0.0.1, ::1)",
          "MSRP_CREDENTIALS_FILE has 1 line for a realm whose users are not looked up there " +
          "(but those of localhost, 127.0.0.1, ::1 are): example.org (line 1) (/users)"
        ]
      ]
    },
    {
      value: "example.net=memory",
      beside: { MSRP_USERS: "a:b" },
      of: ({ credentials }) => credentials._tag === "ByRealm" && credentials.others,
      is: undefined
    }
  ],
  MSRP_CREDENTIALS_CACHE: [{
    value: "0",
    beside: { MSRP_HTTP_URL: "http://localhost" },
    of: ({ credentials }) => "cacheSeconds" in credentials && credentials.cacheSeconds,
    is: 0
  }],
  MSRP_CREDENTIALS_CHECK: [
    { value: "5 minutes", beside: { MSRP_HTTP_URL: "http://localhost" }, of: checkOf, is: 300 },
    { value: "0", beside: sqlBeside, of: checkOf, is: 0 }
  ],
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
      credentials._tag === "Http" &&
      [credentials.url, credentials.token, credentials.cacheSeconds, credentials.realm],
    is: ["https://users.example.com/msrp", undefined, 30, "localhost"]
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
    is: { _tag: "File", path: "/users", calculateHa1: false, realms: ["localhost", "127.0.0.1", "::1"] }
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
      is: { _tag: "File", path: "/passwords", calculateHa1: true, realms: ["localhost", "127.0.0.1", "::1"] }
    }
  ],
  MSRP_AUTH_REALM: [{ value: "Example Realm", of: ({ relay }) => relay.authRealm, is: "Example Realm" }],
  MSRP_AUTH_EXPIRES: [{ value: "30s", of: ({ relay }) => relay.authExpires, is: 30 }],
  MSRP_AUTH_MIN_EXPIRES: [{ value: "1 minute", of: ({ relay }) => relay.authMinExpires, is: 60 }],
  MSRP_AUTH_MAX_EXPIRES: [{ value: "1.5h", of: ({ relay }) => relay.authMaxExpires, is: 5400 }],
  MSRP_NONCE_EXPIRE: [{ value: "1500ms", of: ({ digest }) => Duration.toSeconds(digest.nonceExpire!), is: 1.5 }],
  MSRP_DIGEST_ALGORITHMS: [
    { value: "md5, sha-256", of: ({ digest }) => digest.algorithms, is: ["MD5", "SHA-256"] },
    { value: "MD5", of: ({ digest }) => digest.algorithms, is: ["MD5"] }
  ],
  MSRP_AUTH_FREE_FAILURES: [{ value: "3", of: ({ digest }) => digest.freePerUser, is: 3 }],
  MSRP_AUTH_FREE_FAILURES_PER_ADDRESS: [{ value: "4", of: ({ digest }) => digest.freePerAddress, is: 4 }],
  MSRP_ALLOW_PLAINTEXT_AUTH: [{ value: "YES", of: ({ relay }) => relay.plaintextAuth, is: "always" }],
  MSRP_MAX_FAILED_AUTH: [{ value: "7", of: ({ relay }) => relay.limits?.failedAuths, is: 7 }],
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
    { value: "none", beside: { MSRP_TLS_CA: "/ca.crt" }, of: ({ relay }) => relay.relayPeers, is: "none" },
    { value: "all", of: ({ relay }) => relay.relayPeers, is: "all" },
    {
      value: "Relay.example.net., *.relays.example.com",
      of: ({ relay }) => relay.relayPeers,
      is: ["relay.example.net", "*.relays.example.com"]
    }
  ],
  MSRP_RELAY_LISTEN: [{
    value: "msrps:127.0.0.1:7",
    beside: { ...users, MSRP_LISTEN: "msrps:127.0.0.1:6,msrps:127.0.0.1:7" },
    of: ({ relay }) => relay.relayListen,
    is: [{ scheme: "msrps", host: "127.0.0.1", port: 7 }]
  }],
  MSRP_RELAY_ADDRESSES: [{
    value: "192.0.2.7, 10.0.0.0/8,2001:db8::/32",
    of: ({ relay }) => relay.relayAddresses,
    is: ["192.0.2.7", "10.0.0.0/8", "2001:db8::/32"]
  }],
  MSRP_TLS_HANDSHAKES_PER_ADDRESS: [{ value: "5", of: ({ transport }) => transport.maxHandshakesPerAddress, is: 5 }],
  MSRP_TLS_HANDSHAKE_RATE: [
    { value: "6", of: ({ transport }) => transport.handshakeRate, is: 6 },
    { value: "0", of: ({ transport }) => transport.handshakeRate, is: Infinity }
  ],
  MSRP_MAX_SESSIONS_PER_RELAY: [{ value: "8", of: ({ relay }) => relay.limits?.sessionsPerRelay, is: 8 }],
  MSRP_RELAY_GONE: [{ value: "2 minutes", of: ({ relay }) => relay.limits?.relayGone, is: 120 }],
  MSRP_TCP_KEEP_ALIVE: [
    { value: "30s", of: ({ transport }) => transport.keepAlive, is: 30 },
    { value: "0", of: ({ transport }) => transport.keepAlive, is: 0 }
  ],
  MSRP_AUTH_MAX_EXPIRES_BEHIND_RELAYS: [{ value: "2h", of: ({ relay }) => relay.authRelayMaxExpires, is: 7200 }],
  MSRP_HASH_SIZE: [
    { value: "1", of: ({ relay }) => relay.sessions.hashSize, is: 1 },
    { value: "20", of: ({ relay }) => relay.sessions.hashSize, is: 20 }
  ],
  MSRP_CLEANUP_INTERVAL: [{
    value: "5 minutes",
    of: ({ relay }) => relay.sessions.cleanupInterval,
    is: Duration.minutes(5)
  }],
  MSRP_MAX_SESSIONS: [{ value: "17", of: ({ relay }) => relay.sessions.maxSessions, is: 17 }],
  MSRP_MAX_SESSIONS_PER_USER: [{ value: "7", of: ({ relay }) => relay.sessions.maxSessionsPerUser, is: 7 }],
  MSRP_MAX_TRANSACTIONS: [{ value: "100", of: ({ relay }) => relay.limits?.transactions, is: 100 }],
  MSRP_SESSION_MESSAGE_RATE: [{ value: "5", of: ({ relay }) => relay.limits?.requestRate, is: 5 }],
  MSRP_SESSION_OCTET_RATE: [{ value: "1 MiB", of: ({ relay }) => relay.limits?.octetRate, is: 1_048_576 }],
  MSRP_MAX_SESSIONS_PER_CONNECTION: [{ value: "3", of: ({ relay }) => relay.limits?.sessionsPerConnection, is: 3 }],
  MSRP_EXTEND_ACTIVE_SESSIONS: [{ value: "yes", of: ({ relay }) => relay.sessions.extendActive, is: true }],
  MSRP_MAX_CONNECTIONS: [{ value: "12", of: ({ relay }) => relay.limits?.connections, is: 12 }],
  MSRP_MAX_CONNECTIONS_PER_ADDRESS: [{ value: "7", of: ({ relay }) => relay.limits?.connectionsPerAddress, is: 7 }],
  MSRP_MAX_CONNECTIONS_IN_PROBATION: [{ value: "8", of: ({ relay }) => relay.limits?.connectionsInProbation, is: 8 }],
  MSRP_DRAIN_TIMEOUT: [
    { value: "10 minutes", of: ({ relay }) => relay.limits?.drain, is: 600 },
    { value: "0", of: ({ relay }) => relay.limits?.drain, is: 0 }
  ],
  MSRP_DEMO: [
    {
      value: "ON",
      beside: { MSRP_USERS: "alice:secret" },
      of: ({ demoPage, relay: { listen } }) => [demoPage, listen.some(({ port }) => port === 2857)],
      is: [true, true]
    },
    {
      value: "off",
      of: ({ demoPage, relay: { listen } }) => [demoPage, listen.some(({ port }) => port === 2857)],
      is: [false, false]
    }
  ],
  MSRP_WS_ORIGINS: [
    {
      value: "https://Chat.example.com, http://a.example:8080",
      of: ({ transport: { webSocket } }) =>
        ["https://chat.example.com", "http://a.example:8080", "https://a.example:8080", "null"].map((origin) =>
          webSocket?.admitsOrigin?.(origin, "relay.example.com")
        ),
      is: [true, true, false, false]
    },
    { value: "*", of: ({ transport: { webSocket } }) => webSocket?.admitsOrigin?.("null", ""), is: true }
  ],
  MSRP_WS_CHUNK: [{ value: "16 KiB", of: ({ transport }) => transport.webSocket?.piece, is: 16_384 }],
  MSRP_WS_PING: [
    { value: "50s", of: ({ relay }) => relay.limits?.ping, is: 50 },
    { value: "0", of: ({ relay }) => relay.limits?.ping, is: 0 }
  ],
  MSRP_TRUSTED_PROXIES: [{
    value: "10.0.0.0/8, 2001:db8::1",
    of: ({ transport: { proxies } }) =>
      ["10.1.2.3", "11.0.0.1", "2001:db8:0::1", "2001:db8::2", "nonsense"].map((one) => proxies?.trusts(one)),
    is: [true, false, true, false, false]
  }],
  MSRP_PROXY_PROTOCOL: [
    { value: "on", beside: { MSRP_TRUSTED_PROXIES: "10.0.0.1" }, of: proxyHeaders, is: [true, true] },
    { value: "TCP", beside: { MSRP_TRUSTED_PROXIES: "10.0.0.1" }, of: proxyHeaders, is: [true, false] }
  ],
  MSRP_IDLE_LIMIT: [{ value: "1 day", of: ({ relay }) => relay.limits?.idle, is: 86_400 }],
  MSRP_MAX_NEXT_HOPS_PER_USER: [{ value: "9", of: ({ relay }) => relay.limits?.nextHopsPerUser, is: 9 }],
  MSRP_MAX_NEXT_HOPS_PER_ADDRESS: [{ value: "9", of: ({ relay }) => relay.limits?.nextHopsPerAddress, is: 9 }],
  MSRP_NEXT_HOP_UNUSED_LIMIT: [{ value: "90s", of: ({ relay }) => relay.limits?.unused, is: 90 }],
  MSRP_MAX_DIALS: [{ value: "9", of: ({ relay }) => relay.limits?.dials, is: 9 }],
  MSRP_NEXT_HOP_ALLOW: [
    {
      value: "10.1.2.3, *.example.com,2001:db8::/32",
      of: ({ relay }) => relay.nextHops?.allow,
      is: ["10.1.2.3", "*.example.com", "2001:db8::/32"]
    }
  ],
  MSRP_NEXT_HOP_DENY: [
    { value: "0.0.0.0/0,host", of: ({ relay }) => relay.nextHops?.deny, is: ["0.0.0.0/0", "host"] }
  ],
  MSRP_NEXT_HOP_ALONE: [
    { value: "10.0.0.30, host", of: ({ relay }) => relay.nextHops?.alone, is: ["10.0.0.30", "host"] }
  ],
  MSRP_NEXT_HOP_PORTS: [
    {
      value: "2855, 49152-65535",
      of: ({ relay }) => relay.nextHops?.ports,
      is: [{ first: 2855, last: 2855 }, { first: 49_152, last: 65_535 }]
    },
    { value: "any", of: ({ relay }) => relay.nextHops?.ports, is: [{ first: 1, last: 65_535 }] }
  ],
  MSRP_CONNECT_TIMEOUT: [{ value: "2.5", of: ({ transport }) => transport.connectTimeout, is: 2.5 }],
  MSRP_STALL_LIMIT: [{ value: "1 Min", of: ({ relay }) => relay.limits?.stall, is: 60 }],
  MSRP_OUTPUT_LIMIT: [
    { value: "65536", of: ({ relay }) => relay.limits?.output, is: 65_536 },
    { value: "64 kB", of: ({ relay }) => relay.limits?.output, is: 64_000 }
  ],
  MSRP_SESSION_BUFFER: [{ value: "1.5MiB", of: ({ relay }) => relay.limits?.session, is: 1_572_864 }],
  MSRP_ENV_FILE: [{ value: "/etc/relay.env", of: ({ envFile }) => envFile, is: "/etc/relay.env" }],
  MSRP_LOG_LEVEL: [{ value: "DEBUG", of: ({ log }) => log.level, is: "Debug" }],
  MSRP_LOG_FORMAT: [
    { value: "json", of: ({ log }) => log.format, is: "json" },
    { value: "LogFmt", of: ({ log }) => log.format, is: "logfmt" }
  ],
  MSRP_ADMIN: [
    { value: "127.0.0.1:2857", of: ({ admin }) => admin?.address, is: { _tag: "Tcp", host: "127.0.0.1", port: 2857 } },
    { value: "[::1]:2857", of: ({ admin }) => admin?.address, is: { _tag: "Tcp", host: "::1", port: 2857 } },
    {
      value: "relay.example.com:2857",
      beside: { MSRP_ADMIN_TOKEN_FILE: "/token" },
      of: ({ admin }) => admin?.address,
      is: { _tag: "Tcp", host: "relay.example.com", port: 2857 }
    },
    { value: "/run/relay.sock", of: ({ admin }) => admin?.address, is: { _tag: "Unix", path: "/run/relay.sock" } }
  ],
  MSRP_ADMIN_TOKEN_FILE: [
    {
      value: "/token",
      beside: { MSRP_ADMIN: "/run/relay.sock" },
      of: ({ admin }) => admin?.tokenFile,
      is: "/token"
    }
  ],
  MSRP_HEP: [
    {
      value: "UDP:homer.example.com:9060",
      of: ({ hep }) => [hep?.transport, hep?.host, hep?.port, hep?.users],
      is: ["udp", "homer.example.com", 9060, "*"]
    },
    { value: "tcp:[2001:db8::1]:9061", of: ({ hep }) => [hep?.transport, hep?.host], is: ["tcp", "2001:db8::1"] }
  ],
  MSRP_HEP_USERS: [
    { value: "alice, 50%25%2Cbob", beside: hepBeside, of: ({ hep }) => hep?.users, is: ["alice", "50%,bob"] }
  ],
  MSRP_HEP_ID: [{ value: "4294967295", beside: hepBeside, of: ({ hep }) => hep?.captureId, is: 4_294_967_295 }],
  MSRP_HEP_KEY: [
    {
      value: "open sesame",
      beside: hepBeside,
      of: ({ hep }) => [hep?.key && Redacted.value(hep.key), inspect(hep).includes("sesame")],
      is: ["open sesame", false]
    }
  ]
}

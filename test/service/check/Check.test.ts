/** Set-ups that are broken in one place: what is told of each, and nothing else. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { once } from "node:events"
import { chmodSync } from "node:fs"
import { createServer, type RequestListener } from "node:http"
import type * as Net from "node:net"
import { DatabaseSync } from "node:sqlite"
import { nameServer } from "../../support/nameServer.ts"
import { commonNameOnly, expired, issueBehind, issueWith, otherLocalhost } from "../../support/pki.ts"
import { plainServer } from "../../transport/plain.ts"
import { certificate, closedDirectory, file, findingsWith, HOST, nowhere, relay, working, wrongWith } from "./setup.ts"

/** The working set-up with other variables, and all that is wrong with it. */
const broken = Effect.fnUntraced(function*(change: Record<string, string | undefined>) {
  const env = { ...yield* Effect.promise(working), ...change }
  return yield* wrongWith(Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)) as never)
})

const made = <A>(make: () => Promise<A>) => Effect.promise(make)

/** Each line is wrong in one way, and there is no other. */
const assertLines = (lines: ReadonlyArray<string>, ...expected: ReadonlyArray<RegExp>) => {
  assert.lengthOf(lines, expected.length, lines.join("\n"))
  for (const [index, pattern] of expected.entries()) assert.match(lines[index]!, pattern)
}

/** A service that knows users, as far as it does. */
const userService = (answer: RequestListener) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const server = createServer(answer).listen(0, "127.0.0.1")
      await once(server, "listening")
      return { server, url: `http://127.0.0.1:${(server.address() as Net.AddressInfo).port}/users` }
    }),
    ({ server }) => Effect.sync(() => server.close())
  )

const sqlite = (statement: string): string => {
  const path = file("")
  const database = new DatabaseSync(path)
  database.exec(statement)
  database.close()
  return path
}

const atLocalhost = () => ({
  MSRP_URIS: "msrps://localhost:2855;tcp",
  MSRP_CREDENTIALS_FILE: file("alice:localhost:0123456789abcdef0123456789abcdef\n")
})

const withSql = (path: string) => ({ MSRP_CREDENTIALS_FILE: undefined, MSRP_SQL_URL: `sqlite:${path}` })
const TABLE = "create table subscriber (username text, domain text, password text, ha1 text)"

describe("a set-up", () => {
  it.live("that works has nothing wrong", () =>
    Effect.gen(function*() {
      assertLines(yield* broken({}))
    }))

  it.live("has variables with mistakes: all are told, and nothing else is looked at", () =>
    Effect.gen(function*() {
      assertLines(
        yield* broken({ MSRP_HASH_SIZE: "99", MSRP_CREDENTIALS_FILE: nowhere(), MSRP_UIRS: "x" }),
        /^problem settings MSRP_HASH_SIZE: must be a whole number/,
        /^problem settings MSRP_UIRS: there is no such variable; did you mean MSRP_URIS/,
        /^problem settings MSRP_CREDENTIALS_FILE: there is no such file/
      )
    }))

  it.live("has a key that belongs to another certificate", () =>
    Effect.gen(function*() {
      assertLines(
        yield* broken({ MSRP_TLS_KEY: file(Redacted.value(otherLocalhost.key)) }),
        /^problem settings MSRP_TLS_KEY: does not belong to the certificate/
      )
    }))

  it.live("has a key and users that everybody may read, and a certificate that everybody may change", () =>
    Effect.gen(function*() {
      const pair = certificate(relay)
      chmodSync(pair["MSRP_TLS_KEY"]!, 0o644)
      chmodSync(pair["MSRP_TLS_CERT"]!, 0o646)
      const users = file(`alice:${HOST}:0123456789abcdef0123456789abcdef\n`, 0o604)
      const change = { ...pair, MSRP_CREDENTIALS_FILE: users }
      chmodSync(closedDirectory, 0o755)
      assertLines(
        yield* broken(change),
        /^warning files .*MSRP_TLS_CERT.: everybody on this machine may change it \(mode 646\)/,
        /^warning files .*MSRP_TLS_KEY.: everybody on this machine may read it \(mode 644\)/,
        /^warning files .*MSRP_CREDENTIALS_FILE.: everybody on this machine may read it \(mode 604\)/
      )
      // Nobody gets there.
      chmodSync(closedDirectory, 0o700)
      assertLines(yield* broken(change))
    }))

  it.live("has a certificate that is over, one that is not valid yet, and one that soon ends", () =>
    Effect.gen(function*() {
      assertLines(
        yield* broken({ ...certificate(expired), ...atLocalhost() }),
        /^problem certificates .*: expired on 2/
      )
      const early = yield* made(() => issueWith([HOST], { hoursFromNow: 48 }))
      assertLines(yield* broken(certificate(early)), /^problem certificates .*: is valid only from 2.* on$/)
      const late = yield* made(() => issueWith([HOST], { hoursFromNow: 1 }))
      assertLines(yield* broken(certificate(late)), /^warning certificates .*: expires on 2.*, in less than a day$/)
    }))

  it.live("has a certificate for another name; a wildcard stands for one whole label", () =>
    Effect.gen(function*() {
      const fits = (name: string) =>
        Effect.gen(function*() {
          const pair = yield* made(() => issueWith([name], { hoursFromNow: 23 }))
          return (yield* broken(certificate(pair))).join("\n")
        })
      const refused = /^problem certificates relay\.example\.com: no certificate is for it: .* which is for /
      assert.match(yield* fits("other.example.com"), refused)
      assert.match(yield* fits("*.com"), refused)
      assert.match(yield* fits("*.relay.example.com"), refused)
      assert.match(yield* fits("relay.*.com"), refused)
      assert.strictEqual(yield* fits("*.example.com"), "")
      assert.strictEqual(yield* fits("RELAY.example.com"), "")
    }))

  it.live("has a certificate whose name is no subjectAltName (RFC 4976 section 9.2)", () =>
    Effect.gen(function*() {
      assertLines(
        yield* broken({ ...certificate(commonNameOnly), ...atLocalhost() }),
        /^warning certificates .* in less than a day$/,
        /^problem certificates localhost: no certificate is for it.*no name at all/
      )
    }))

  it.live("has a certificate for one of its names only, and none for the address that nobody asks for by name", () =>
    Effect.gen(function*() {
      const uris = `msrps://${HOST}:2855;tcp,msrps://other.example.com:2855;tcp,msrps://127.0.0.2:2855;tcp`
      assertLines(
        yield* broken({ MSRP_URIS: uris }),
        /^problem certificates other\.example\.com: no certificate is for it/,
        /^problem certificates 127\.0\.0\.2: no certificate is for it/
      )
    }))

  it.live("has a chain with a certificate missing, or in another order", () =>
    Effect.gen(function*() {
      const { between, own } = yield* made(() => issueBehind(HOST))
      assertLines(yield* broken(certificate(own, between)))
      assertLines(
        yield* broken(certificate(own)),
        /^warning certificates .*its chain does not lead to a root that this machine trusts: the certificate of CN=test authority is/
      )
      assertLines(
        yield* broken(certificate(own, relay.cert + between)),
        /^warning certificates .*the certificates of its chain are in the wrong order/
      )
      assertLines(
        yield* broken(certificate(yield* made(() => issueWith([HOST], { signed: false, hoursFromNow: 23 })))),
        /^warning certificates .*: is self-signed/
      )
    }))

  it.live("has a certificate that is not for servers, or not for clients", () =>
    Effect.gen(function*() {
      const pair = (usages: object) =>
        Effect.map(made(() => issueWith([HOST], { usages, hoursFromNow: 23 })), (pair) => certificate(pair))
      assertLines(yield* broken(yield* pair({ clientAuth: true })), /^problem certificates .*: is not for servers/)
      assertLines(yield* broken(yield* pair({ serverAuth: true })), /^warning certificates .*: is not for clients/)
    }))

  it.live("has a port that is taken, which is as it should be for one that runs", () =>
    Effect.gen(function*() {
      const port = yield* plainServer(() => {})
      const env = { ...yield* Effect.promise(working), MSRP_LISTEN: `msrps:127.0.0.1:${port}` }
      assertLines(
        yield* wrongWith(env),
        new RegExp(
          `^problem listeners msrps://127.0.0.1:${port}: the port is in use by another program, or by a relay that is already running`
        )
      )
      assertLines(yield* wrongWith(env, { running: true }))
    }).pipe(Effect.scoped))

  it.live("has ports that are free while a relay should run: all of them, or one that it was told of since", () =>
    Effect.gen(function*() {
      const taken = yield* plainServer(() => {})
      const env = yield* Effect.promise(working)
      assertLines(
        yield* wrongWith(env, { running: true }),
        /^problem listeners msrps:.*: nothing listens there: no relay is running with these settings$/
      )
      const listen = `msrps:127.0.0.1:${taken},${env["MSRP_LISTEN"]}`
      assertLines(
        yield* wrongWith({ ...env, MSRP_LISTEN: listen }, { running: true }),
        /^warning listeners msrps:.*: nothing listens there: the running relay does not use it$/
      )
    }).pipe(Effect.scoped))

  it.live("has an address that is of another machine, and a name that has none", () =>
    Effect.gen(function*() {
      const { address } = yield* nameServer({})
      assertLines(
        yield* broken({ MSRP_LISTEN: "msrps:192.0.2.1:2855,msrps:nowhere.invalid:2855", MSRP_DNS_SERVERS: address }),
        /^problem listeners msrps:\/\/192\.0\.2\.1:2855: this machine has no such address/,
        /^problem listeners msrps:\/\/nowhere\.invalid:2855: the host name has no address/
      )
    }).pipe(Effect.scoped))

  it.live("has a database without the table, without a column, and none at all", () =>
    Effect.gen(function*() {
      assertLines(yield* broken(withSql(sqlite(TABLE))))
      assertLines(
        yield* broken(withSql(sqlite("create table other (username text)"))),
        /^problem users MSRP_SQL_URL: .*there is no such table: subscriber/
      )
      assertLines(
        yield* broken({ ...withSql(sqlite(TABLE)), MSRP_SQL_HA1_COLUMN: "digest" }),
        /^problem users MSRP_SQL_URL: .*there is no such column: digest/
      )
      assertLines(yield* broken(withSql(nowhere())), /^problem users MSRP_SQL_URL: .*the file cannot be opened/)
    }))

  it.live("has a database with users of a realm that clients are not asked for: it is told how many, and of which", () =>
    Effect.gen(function*() {
      const rows = (...realms: ReadonlyArray<string>) =>
        sqlite(
          `${TABLE}; insert into subscriber (username, domain) values ${
            realms.map((realm, i) => `('user${i}', '${realm}')`).join(", ")
          }`
        )
      assertLines(yield* broken(withSql(rows(HOST))))
      assertLines(
        yield* broken(withSql(rows(HOST, "other.example", "other.example"))),
        /^warning users MSRP_SQL_URL: the table subscriber has 2 rows for realms whose .*, such as other\.example$/
      )
      const everywhere = { ...withSql(rows("other.example")), MSRP_SQL_DOMAIN_COLUMN: "none" }
      assertLines(yield* broken(everywhere))
    }))

  it.live("has a service of users that has none, fails, knows everybody, or is not there; it is asked for nobody", () =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      const lines = Effect.fnUntraced(function*(status: number, body = "") {
        const { url } = yield* userService((request, response) => {
          request.on("data", (octets: Buffer) => void asked.push(octets.toString()))
          request.on("end", () => void response.writeHead(status).end(body))
        })
        return yield* broken({ MSRP_CREDENTIALS_FILE: undefined, MSRP_HTTP_URL: url })
      }, Effect.scoped)
      assertLines(yield* lines(404))
      assert.deepStrictEqual(asked, [`{"username":"msrp-relay-check","realm":"${HOST}","method":"AUTH"}`])
      assertLines(
        yield* lines(401),
        /^problem users MSRP_HTTP_URL: .*the answer was 401: it (?:wants a|refuses the) token/
      )
      assertLines(
        yield* lines(200, `{"password":"x"}`),
        /^warning users MSRP_HTTP_URL: it has a user msrp-relay-check/
      )
      assertLines(
        yield* broken({ MSRP_CREDENTIALS_FILE: undefined, MSRP_HTTP_URL: "http://127.0.0.1:9/" }),
        /^problem users MSRP_HTTP_URL: .*no connection/
      )
    }))

  it.live("has a file of users with none in it", () =>
    Effect.gen(function*() {
      assertLines(
        yield* broken({ MSRP_CREDENTIALS_FILE: file("# nobody\n") }),
        /^warning users .*: has no users: nobody can log in/
      )
    }))

  it.live("has users, but none of a realm that clients are asked for", () =>
    Effect.gen(function*() {
      const hash = "0123456789abcdef0123456789abcdef"
      const others = file(`alice:a.example:${hash}\nbob:b.example:${hash}\n`)
      const none = (asked: string) =>
        new RegExp(`^problem users .*: has \\d users?, but none of a realm .* \\(${asked}\\): nobody can log in$`)
      const warned = /^warning settings : MSRP_CREDENTIALS_FILE has 2 lines for realms/
      assertLines(yield* broken({ MSRP_CREDENTIALS_FILE: others }), warned, none(HOST))
      assertLines(
        yield* broken({ MSRP_CREDENTIALS_FILE: others, MSRP_AUTH_REALM: "c.example" }),
        warned,
        none("c.example")
      )
      assertLines(
        yield* broken({ MSRP_CREDENTIALS_FILE: others, MSRP_AUTH_REALM: "b.example" }),
        /^warning settings : MSRP_CREDENTIALS_FILE has 1 line for a realm/
      )
      const entry = /^warning settings : MSRP_USERS has in entry 1 a realm/
      const listed = { MSRP_CREDENTIALS_FILE: undefined, MSRP_USERS: "alice@a.example:secret" }
      assertLines(yield* broken(listed), entry, none(HOST))
      assertLines(yield* broken({ ...listed, MSRP_USERS: "alice@a.example:secret,bob:secret" }), entry)
      // The users of the relay's realm are in one of two sources.
      const both = { MSRP_USERS: `alice@${HOST}:secret`, MSRP_CREDENTIALS_FILE: others }
      assertLines(
        yield* broken({ ...both, MSRP_CREDENTIALS: `memory,a.example=file` }),
        /^warning settings : .*a\.example/
      )
      assertLines(yield* broken({ ...both, MSRP_CREDENTIALS: `${HOST}=file,memory` }), warned, none(HOST))
      // A password without a realm is for every realm.
      const ofAll = { MSRP_CREDENTIALS_FILE: file("alice:a.example:secret\nbob::secret\n"), MSRP_CALCULATE_HA1: "1" }
      assertLines(yield* broken(ofAll), /^warning settings : .* has 1 line for a realm/)
      // What is beyond the realms that are counted is not known.
      const many = Array.from({ length: 100 }, (_, i) => `alice:${i}.example:${hash}\n`).join("") +
        `alice:${HOST}:${hash}\n`
      assertLines(yield* broken({ MSRP_CREDENTIALS_FILE: file(many) }), /^warning settings : .* 100 lines/)
    }))

  it.live("has H(A1)s of users or realms that are not composed", () =>
    Effect.gen(function*() {
      const hash = "0123456789abcdef0123456789abcdef"
      const lines = [`alice:${HOST}`, "bob:cafe\u{301}", "da\u{308}n:example.com"].map((who) => `${who}:${hash}\n`)
      assertLines(
        yield* broken({ MSRP_CREDENTIALS_FILE: file(lines.join("")) }),
        /^warning settings : MSRP_CREDENTIALS_FILE has 2 lines for realms whose users are not looked up there/,
        /^warning users .*: line 2, 3: a user or realm that is not composed/
      )
      assertLines(
        yield* broken({
          MSRP_CREDENTIALS_FILE: undefined,
          MSRP_CALCULATE_HA1: "0",
          MSRP_USERS: `alice@${HOST}:${hash},bob@cafe\u{301}:${hash}`
        }),
        /^warning settings : MSRP_USERS has in entry 2 a realm that no client is asked for/,
        /^warning users MSRP_USERS: entry 2: a user or realm that is not composed/
      )
    }))

  it.live("has SRV records that lead elsewhere, or here; none are nothing to tell", () =>
    Effect.gen(function*() {
      const record = { priority: 0, weight: 0, ttl: 60 }
      const name = `_msrps._tcp.${HOST}`
      const env = yield* Effect.promise(working)
      const port = Number(/:(\d+);/.exec(env["MSRP_URIS"]!)![1])
      const lines = (...records: ReadonlyArray<{ port: number; target: string }>) =>
        nameServer(records.length === 0 ? {} : { [name]: records.map((one) => Object.assign(one, record)) }).pipe(
          Effect.flatMap(({ address }) => wrongWith({ ...env, MSRP_DNS_SERVERS: address })),
          Effect.scoped
        )
      const elsewhere = /^warning names _msrps\._tcp\.relay\.example\.com: none of its records leads to this relay: /
      assertLines(yield* lines())
      assertLines(yield* lines({ port, target: "far.example.net" }), elsewhere)
      assertLines(yield* lines({ port: port + 1, target: HOST }), elsewhere)
      assertLines(yield* lines({ port: 0, target: "" }), elsewhere)
      assertLines(yield* lines({ port, target: "far.example.net" }, { port, target: "127.0.0.1" }))
      assertLines(yield* lines({ port: port + 1, target: HOST }, { port, target: "Relay.Example.com." }))
    }))

  it.live("has name servers of which one or all do not answer", () =>
    Effect.gen(function*() {
      const { address } = yield* nameServer({})
      const silent = /^warning names 127\.0\.0\.1:9: does not answer \(ECONNREFUSED\)/
      assertLines(yield* broken({ MSRP_DNS_SERVERS: `127.0.0.1:9,${address}` }), silent)
      assertLines(yield* broken({ MSRP_DNS_SERVERS: "127.0.0.1:9" }), silent, /^warning names : no name server answers/)
    }).pipe(Effect.scoped))

  it.live("allows more connections than there may be open files", () =>
    Effect.gen(function*() {
      const lines = yield* broken({ MSRP_MAX_CONNECTIONS: "1000000" })
      assertLines(
        lines,
        /^warning descriptors : \d+ files may be open at a time, and MSRP_MAX_CONNECTIONS=1000000 may need/
      )
    }))

  it.live("has a certificate of which the settings warn too: it is told once, and other warnings are kept", () =>
    Effect.gen(function*() {
      const other = yield* made(() => issueWith(["other.example.com"], { hoursFromNow: 23 }))
      assertLines(
        yield* broken({ ...certificate(other), MSRP_USERS: "alice:wonderland", MSRP_CREDENTIALS: "file" }),
        /^warning settings : MSRP_USERS is not used/,
        /^problem certificates relay\.example\.com: no certificate is for it/
      )
    }))

  it.live("has passwords, of which none is told", () =>
    Effect.gen(function*() {
      const secret = "wonderland-4711"
      const env = { ...yield* Effect.promise(working), MSRP_CREDENTIALS_FILE: "" }
      const told = yield* Effect.forEach([
        { MSRP_USERS: `alice:${secret}` },
        { MSRP_EPHEMERAL_SECRET: secret, MSRP_HASH_SIZE: "x" },
        { MSRP_HTTP_URL: "http://127.0.0.1:9/", MSRP_HTTP_TOKEN: secret },
        { MSRP_SQL_URL: `postgres://me:${secret}@127.0.0.1:9/db` },
        { MSRP_CREDENTIALS_FILE: file(`alice:${secret}\n`) }
      ], (change) => findingsWith({ ...env, ...change }))
      assert.deepStrictEqual(told.map((found) => found.filter(({ status }) => status === "problem").length), [
        0,
        1,
        1,
        1,
        1
      ])
      assert.notInclude(JSON.stringify(told), secret)
    }))
})

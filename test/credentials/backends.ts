/** Databases and services of users, for tests: alice and carol, in the realm localhost. */
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { createServer } from "node:http"
import * as Net from "node:net"
import { Readable } from "node:stream"
import { PASSWORDS } from "../support/harness.ts"

export const ha1 = (algorithm: "md5" | "sha256", username: string, realm = "localhost"): string =>
  createHash(algorithm).update(`${username}:${realm}:${PASSWORDS[username]}`).digest("hex")

/** The table of OpenSIPS with its columns, and who is in it. */
export const subscribers = (table: string): ReadonlyArray<string> => [
  `DROP TABLE IF EXISTS ${table}`,
  `CREATE TABLE ${table} (id INTEGER PRIMARY KEY, username VARCHAR(64) NOT NULL, domain VARCHAR(64) NOT NULL, ` +
  "password VARCHAR(64) NOT NULL, ha1 VARCHAR(64) NOT NULL, ha1_sha256 VARCHAR(64) NOT NULL)",
  ...["alice", "carol"].map((username, i) =>
    `INSERT INTO ${table} VALUES (${i}, '${username}', 'localhost', '${PASSWORDS[username]}', ` +
    `'${ha1("md5", username)}', '${ha1("sha256", username)}')`
  ),
  `INSERT INTO ${table} VALUES (7, 'dave', 'elsewhere', 'x', '', ''), (8, 'twice', 'localhost', 'x', '', ''), ` +
  "(9, 'twice', 'localhost', 'y', '', ''), (10, 'nothing', 'localhost', '', '', '')"
]

/** Something that can be stopped and started again at the same address. */
export interface Switch {
  readonly port: number
  readonly stop: Effect.Effect<void>
  readonly start: Effect.Effect<void>
  /** Leaves those without an answer who are connected; others can connect. */
  readonly hang?: Effect.Effect<void>
}

const makeSwitch = (create: () => Net.Server) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      let server = create()
      const sockets = new Set<Net.Socket>()
      const listen = (port: number) =>
        new Promise<void>((resolve) => {
          server.on("connection", (socket) => {
            sockets.add(socket)
            socket.on("close", () => sockets.delete(socket))
          })
          server.listen(port, "127.0.0.1", resolve)
        })
      await listen(0)
      const { port } = server.address() as Net.AddressInfo
      const stop = () =>
        new Promise<void>((resolve) => {
          for (const socket of sockets) socket.destroy()
          server.close(() => resolve())
        })
      const one: Switch = {
        port,
        stop: Effect.promise(stop),
        start: Effect.promise(() => {
          server = create()
          return listen(port)
        })
      }
      return one
    }),
    ({ stop }) => stop
  )

/** Passes connections on to a database, and can be stopped as if it were the database. */
export const proxy = (target: URL) =>
  Effect.suspend(() => {
    const open = new Set<Net.Socket>()
    return Effect.map(
      makeSwitch(() =>
        Net.createServer((near) => {
          const far = Net.connect(Number(target.port), target.hostname)
          const leave = (one: Net.Socket, other: Net.Socket) => {
            open.add(one.on("error", () => other.destroy()))
            one.on("close", () => {
              open.delete(one)
              other.destroy()
            })
          }
          leave(near, far)
          leave(far, near)
          near.pipe(far).pipe(near)
        })
      ),
      (power) => ({
        ...power,
        /** What is open stays so and is silent from now on, as behind a firewall that has forgotten it. */
        hang: Effect.sync(() => {
          for (const socket of open) socket.unpipe().pause()
        })
      })
    )
  })

type ServiceAnswer = readonly [status: number, body: unknown, headers?: Readonly<Record<string, string>>]

/** An operator's service. `answer` makes an answer to what it is asked; its body is JSON, text as it is, or a stream. */
export const service = (answer: (asked: Record<string, string>, token: string | undefined) => ServiceAnswer) =>
  makeSwitch(() =>
    createServer((request, response) => {
      let text = ""
      request.on("data", (chunk) => {
        text += chunk
      })
      request.on("end", () => {
        const [status, body, headers] = answer(text === "" ? {} : JSON.parse(text), request.headers.authorization)
        response.writeHead(status, { "content-type": "application/json", ...headers })
        if (body instanceof Readable) {
          response.on("close", () => body.destroy())
          body.pipe(response)
        } else response.end(typeof body === "string" ? body : JSON.stringify(body))
      })
    })
  )

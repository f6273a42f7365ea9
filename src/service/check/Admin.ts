/** The admin API: whether it could listen where MSRP_ADMIN says. Its token is looked at with the settings. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import { dirname } from "node:path"
import { codeOf } from "../../net/ErrorCode.ts"
import { failure, reasonOf as reasonOfSocket } from "../../transport/Failure.ts"
import { reasonOf } from "../settings/TextFile.ts"
import { type Finding, findingsOf } from "./Finding.ts"
import { type ListenersOptions, whyNot } from "./Listeners.ts"

const { ok, problem, skipped } = findingsOf("admin")

/** MSRP_ADMIN and MSRP_ADMIN_TOKEN_FILE, as far as they are looked at. */
export interface AdminToCheck {
  readonly address:
    | { readonly _tag: "Tcp"; readonly host: string; readonly port: number }
    | { readonly _tag: "Unix"; readonly path: string }
  readonly tokenFile: string | undefined
}

/** `undefined`: there is no admin API. */
export const lookAtAdmin = (
  admin: AdminToCheck | undefined,
  options: ListenersOptions
): Effect.Effect<ReadonlyArray<Finding>, never, FileSystem.FileSystem | Scope.Scope> => {
  if (admin === undefined) return Effect.succeed([skipped("", "there is no admin API")])
  const { address, tokenFile } = admin
  const token = tokenFile === undefined ? [] : [ok(tokenFile, "whoever uses it has to show the token in this file")]
  return Effect.map(
    address._tag === "Tcp" ? onPort(address, options) : onPath(address.path, options),
    (found) => [found, ...token]
  )
}

const onPort = Effect.fnUntraced(function*(
  { host, port }: { readonly host: string; readonly port: number },
  { running }: ListenersOptions
) {
  const target = `${host.includes(":") ? `[${host}]` : host}:${port}`
  const bound = Effect.callback<void, unknown>((resume) => {
    const server = Net.createServer((socket) => socket.destroy())
    server.once("error", (cause) => resume(Effect.fail(cause)))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resume(Effect.void)))
    return Effect.sync(() => server.close())
  })
  return yield* bound.pipe(
    Effect.as(ok(target, "can be bound")),
    Effect.catch((cause) => {
      const error = failure("listen", { scheme: "msrp", host, port }, reasonOfSocket(cause), cause)
      return running && error.reason === "AddressInUse"
        ? Effect.succeed(ok(target, "is taken, as it should be by a relay that runs"))
        : Effect.map(whyNot(error, port), ([message, hint]) => problem(target, message, hint))
    })
  )
})

/** A socket that nobody listens on any more is no obstacle: it is replaced at the start. */
const onPath = Effect.fnUntraced(function*(path: string, { running }: ListenersOptions) {
  const fs = yield* FileSystem.FileSystem
  const code = yield* connecting(path)
  if (code === undefined) {
    return running
      ? ok(path, "is taken, as it should be by a relay that runs")
      : problem(
        path,
        "another program listens there, or a relay that runs already",
        "--running when it is the relay itself"
      )
  }
  if (code === "EACCES") return problem(path, "is another user's, or in a directory that is")
  const type = Option.map(yield* Effect.option(fs.stat(path)), (info) => info.type)
  if (Option.exists(type, (is) => is !== "Socket")) {
    return problem(path, "is there already, and no socket: it would not be replaced")
  }
  return yield* fs.access(dirname(path), { writable: true }).pipe(
    Effect.as(ok(path, "can be made")),
    Effect.catch((error) =>
      Effect.succeed(
        problem(
          path,
          error.reason._tag === "NotFound"
            ? `the directory ${dirname(path)} is not there`
            : `nothing may be made in ${dirname(path)} (${reasonOf(error)})`,
          "systemd: RuntimeDirectory=msrp-relay makes /run/msrp-relay at each start"
        )
      )
    )
  )
})

/** Why nobody is there; undefined when somebody is. */
const connecting = (path: string): Effect.Effect<string | undefined> =>
  Effect.callback<string | undefined>((resume) => {
    const socket = Net.connect(path)
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.succeed(undefined))
    })
    socket.on("error", (cause) => resume(Effect.succeed(codeOf(cause))))
    return Effect.sync(() => void socket.destroy())
  })

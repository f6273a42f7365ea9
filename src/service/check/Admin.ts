/**
 * Checks that the admin API can listen at MSRP_ADMIN or, with `running`, that it answers there. Its token is checked
 * with the settings.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import { dirname } from "node:path"
import { type AdminAddress, formatAdminAddress } from "../../admin/Address.ts"
import { connectionError } from "../../admin/SocketFile.ts"
import { codeOf } from "../../net/ErrorCode.ts"
import { addressText } from "../../transport/Connection.ts"
import { failure, reasonOf as reasonOfSocket } from "../../transport/Failure.ts"
import { reasonOf } from "../settings/TextFile.ts"
import { type Finding, findingsOf } from "./Finding.ts"
import { type ListenersOptions, START_IT, whyNot } from "./Listeners.ts"

const { ok, problem, skipped } = findingsOf("admin")

/** The values of MSRP_ADMIN and MSRP_ADMIN_TOKEN_FILE that are checked. */
export interface AdminToCheck {
  readonly address: AdminAddress
  readonly tokenFile: string | undefined
}

/** `undefined` means that there is no admin API. */
export const checkAdmin = (
  admin: AdminToCheck | undefined,
  options: ListenersOptions
): Effect.Effect<ReadonlyArray<Finding>, never, FileSystem.FileSystem | Scope.Scope> => {
  if (admin === undefined) {
    const why = options.running
      ? "MSRP_ADMIN is not set, so it cannot be queried whether a relay is running"
      : "MSRP_ADMIN is not set"
    return Effect.succeed([skipped("", why)])
  }
  const { address, tokenFile } = admin
  const token = tokenFile === undefined
    ? []
    : [ok(tokenFile, "clients of the admin API must send the token in this file")]
  const looked: Effect.Effect<Finding, never, FileSystem.FileSystem | Scope.Scope> = options.running
    ? asked(address)
    : address._tag === "Tcp"
    ? onPort(address)
    : onPath(address.path)
  return Effect.map(looked, (found) => [found, ...token])
}

const asked = Effect.fnUntraced(function*(address: AdminAddress) {
  const { whyNoRelay } = yield* Effect.promise(() => import("./Running.ts"))
  const why = yield* whyNoRelay(address)
  const target = formatAdminAddress(address)
  return why === undefined
    ? ok(target, "a relay answers there, as it should")
    : problem(
      target,
      `no relay answers: ${why.replace(`What is at ${target}`, `What is there`).replace(target, "it")}`,
      START_IT
    )
})

const onPort = Effect.fnUntraced(function*({ host, port }: { readonly host: string; readonly port: number }) {
  const target = addressText({ host, port })
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
      return Effect.map(whyNot(error, port), ([message, hint]) => problem(target, message, hint))
    })
  )
})

/** A socket without a listener is not a problem, because it is replaced at the start. */
const onPath = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  const error = yield* connectionError(path)
  if (error === undefined) {
    return problem(
      path,
      "another program, or a relay that is already running, listens there",
      "if it is the relay, use --running"
    )
  }
  if (codeOf(error) === "EACCES") return problem(path, "belongs to another user, or is in a directory that does")
  const type = Option.map(yield* Effect.option(fs.stat(path)), (info) => info.type)
  if (Option.exists(type, (is) => is !== "Socket")) {
    return problem(path, "exists and is not a socket, so it would not be replaced")
  }
  // If the parent is a file rather than a directory, this fails.
  return yield* fs.access(`${dirname(path)}/.`, { writable: true }).pipe(
    Effect.as(ok(path, "can be created")),
    Effect.catch((error) =>
      Effect.succeed(
        problem(
          path,
          error.reason._tag === "NotFound"
            ? `the directory ${dirname(path)} does not exist`
            : `nothing can be created in ${dirname(path)} (${reasonOf(error)})`,
          "systemd: RuntimeDirectory=msrp-relay creates /run/msrp-relay at each start"
        )
      )
    )
  )
})

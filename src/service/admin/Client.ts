/**
 * A client of the admin API for subcommands: its address, its token, and errors in words. Loaded only by subcommands
 * that use it, because it is large.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as ConfigProvider from "effect/ConfigProvider"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpClient from "effect/http/HttpClient"
import { isHttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { Scope } from "effect/Scope"
import { NO_TOKEN } from "../../admin/Access.ts"
import { type AdminAddress, adminUrl, formatAdminAddress, parseAdminAddress } from "../../admin/Address.ts"
import { AdminApi } from "../../admin/Api.ts"
import { tokenOf } from "../../admin/Token.ts"
import { wordsOf } from "../../net/ErrorCode.ts"
import { readEnvFile } from "../settings/EnvFile.ts"
import { readText } from "../settings/TextFile.ts"
import { textIn } from "../settings/VariableText.ts"
import { AdminFailed, type AdminGiven, refused, unreachable } from "./Flags.ts"

export interface AdminConnection {
  readonly client: HttpApiClient.ForApi<typeof AdminApi>
  /** The address in words, for messages. */
  readonly where: string
}

/** Time limit for the first response. A trace may be silent for longer once it has begun. */
const PATIENCE = "30 seconds"

/** A variable from the environment, or else from the file of variables, as the relay reads it. */
const variable = Effect.fnUntraced(function*(name: string) {
  const environment = yield* ConfigProvider.ConfigProvider
  const here = yield* textIn(environment, name)
  if (Option.isSome(here)) return here
  const file = yield* Effect.mapError(
    readEnvFile(environment),
    (problem) => unreachable(`The file of variables cannot be used: ${problem}`)
  )
  return file === undefined ? Option.none() : yield* textIn(ConfigProvider.fromEnvRecord(file.variables), name)
})

const addressOf = Effect.fnUntraced(function*(given: Option.Option<string>) {
  const text = Option.isSome(given) ? given : yield* variable("MSRP_ADMIN")
  if (Option.isNone(text)) {
    return yield* unreachable("Where is the admin API? Give --admin, or set MSRP_ADMIN as for the relay")
  }
  const address = parseAdminAddress(text.value)
  return address ?? (yield* unreachable(
    `${text.value} is not an address of an admin API, such as 127.0.0.1:2858, [::1]:2858 or /run/msrp-relay/admin.sock`
  ))
})

const readToken = Effect.fnUntraced(function*(given: Option.Option<string>) {
  const path = Option.isSome(given) ? given : yield* variable("MSRP_ADMIN_TOKEN_FILE")
  if (Option.isNone(path)) return undefined
  const token = Result.flatMap(yield* readText(path.value), tokenOf)
  return Result.isSuccess(token)
    ? token.success
    : yield* unreachable(`The token's file ${path.value} cannot be used: ${token.failure}`)
})

/**
 * Node's own HTTP client, because it supports Unix sockets, and never sends the token to a proxy named in the
 * environment.
 */
const transport = (address: AdminAddress) =>
  address._tag === "Unix"
    ? NodeHttpClient.layerNodeHttpOptions({ socketPath: address.path })
    : NodeHttpClient.layerNodeHttp

/** A client of the admin API at this address; sends nothing yet. */
export const clientOf = Effect.fnUntraced(function*(
  address: AdminAddress,
  token?: Redacted.Redacted
): Effect.fn.Return<AdminConnection, never, Scope> {
  const http = yield* Layer.build(transport(address))
  const client = yield* HttpApiClient.make(AdminApi, {
    baseUrl: adminUrl(address),
    transformClient: (one) =>
      token === undefined ? one : HttpClient.mapRequest(one, HttpClientRequest.bearerToken(Redacted.value(token)))
  }).pipe(Effect.provide(http))
  return { client, where: formatAdminAddress(address) }
})

/** A client with the address and token from the command line, or else from the environment. */
export const connectAdmin = Effect.fnUntraced(function*(
  given: AdminGiven
): Effect.fn.Return<AdminConnection, AdminFailed, FileSystem.FileSystem | Scope> {
  const address = yield* addressOf(given.admin)
  return yield* clientOf(address, yield* readToken(given.tokenFile))
})

/** Runs a request with a time limit, and turns every failure into `AdminFailed`. */
export const asked = <A, R>(
  { where }: AdminConnection,
  request: Effect.Effect<A, unknown, R>,
  patience: Duration.Input = PATIENCE
) =>
  request.pipe(
    // The client treats a response that is not JSON as a defect.
    Effect.catchDefect((defect) => isHttpClientError(defect) ? Effect.fail(defect) : Effect.die(defect)),
    Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.fail(unreachable(`${where} does not answer`)) }),
    Effect.mapError((error) => error instanceof AdminFailed ? error : explained(error, where))
  )

/** The failure of a request, for people. */
export const explained = (error: unknown, where: string): AdminFailed => {
  if (isHttpClientError(error) && error.reason._tag === "TransportError") {
    return unreachable(`${where} cannot be reached: ${wordsOf(error.reason.cause)}`)
  }
  const { detail, status } = error as { readonly detail?: string; readonly status?: number }
  if (status === 401) {
    const what = detail === NO_TOKEN ? "none was given" : "this is not the one"
    return unreachable(
      `${where} wants a token, and ${what}: --token-file or MSRP_ADMIN_TOKEN_FILE names the file with it`
    )
  }
  return status === undefined
    ? unreachable(`What is at ${where} does not know this request: a relay of another version, or no relay at all`)
    : refused(detail ?? `The relay answers with ${status}`)
}

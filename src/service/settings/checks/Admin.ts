/** The address of the admin API, and its token. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { AdminAddress } from "../../../admin/Address.ts"
import { isOpenToOthers, tokenOf } from "../../../admin/Token.ts"
import { isLoopback } from "../../../net/Hosts.ts"
import type { Problems } from "../Problems.ts"
import type { Values } from "../Table.ts"
import { readText } from "../TextFile.ts"

export interface AdminSettings {
  readonly address: AdminAddress
  /** The file with the token; without it, requests need none. */
  readonly tokenFile: string | undefined
}

/** `undefined` if there is no admin API. */
export const adminOf = Effect.fnUntraced(function*(
  { admin: address, adminTokenFile: tokenFile }: Values,
  problems: Problems
): Effect.fn.Return<
  { readonly admin: AdminSettings | undefined; readonly warnings: ReadonlyArray<string> },
  never,
  FileSystem.FileSystem
> {
  if (address === undefined || !problems.fine("admin", "adminTokenFile")) return { admin: undefined, warnings: [] }
  const admin = { address, tokenFile }
  const local = address._tag === "Unix" || isLoopback(address.host)
  if (tokenFile !== undefined) {
    const text = yield* readText(tokenFile)
    const token = Result.flatMap(text, tokenOf)
    if (Result.isFailure(token)) {
      problems.addOfFile("adminTokenFile", `${tokenFile}${Result.isFailure(text) ? ":" : ""} ${token.failure}`)
      return { admin, warnings: [] }
    }
    const fs = yield* FileSystem.FileSystem
    const mode = Option.map(yield* Effect.option(fs.stat(tokenFile)), (info) => info.mode)
    return {
      admin,
      warnings: [
        ...Option.exists(mode, isOpenToOthers)
          ? [`${tokenFile} may be read by others on this machine, who can then use the admin API: chmod 600 it`]
          : [],
        ...local ? [] : [
          "The admin API speaks plain HTTP, and MSRP_ADMIN is not on loopback: its token can be read in transit, " +
          "unless a proxy adds TLS"
        ]
      ]
    }
  }
  if (!local) {
    problems.add("adminTokenFile", "is required because MSRP_ADMIN is not on loopback")
    return { admin, warnings: [] }
  }
  return {
    admin,
    warnings: address._tag === "Unix" ? [] : [
      "Everybody on this machine may use the admin API: set MSRP_ADMIN_TOKEN_FILE, or set MSRP_ADMIN to a Unix socket"
    ]
  }
})

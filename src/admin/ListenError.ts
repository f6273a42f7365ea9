/** The error of an admin API that cannot listen. */
import * as Data from "effect/Data"
import { type AdminAddress, formatAdminAddress } from "./Address.ts"

/**
 * The admin API cannot listen on its address. The message is meant for people.
 *
 * @category errors
 * @since 0.2.0
 */
export class AdminListenError extends Data.TaggedError("AdminListenError")<{
  readonly address: AdminAddress
  readonly reason: string
}> {
  override get message(): string {
    return `The admin API cannot listen on ${formatAdminAddress(this.address)}: ${this.reason}`
  }
}

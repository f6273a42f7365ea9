/** How the admin API fails to listen. */
import * as Data from "effect/Data"
import { type AdminAddress, formatAdminAddress } from "./Address.ts"

/**
 * The admin API cannot listen. The message is for people.
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

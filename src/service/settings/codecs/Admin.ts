/** Codec of the admin API's address. */
import * as Result from "effect/Result"
import { type AdminAddress, formatAdminAddress, parseAdminAddress } from "../../../admin/Address.ts"
import { fromParse, type TextCodec } from "./Codec.ts"

export const adminAddress: TextCodec<AdminAddress> = fromParse((text) => {
  const address = parseAdminAddress(text)
  return address === undefined ? Result.fail(undefined) : Result.succeed(address)
}, formatAdminAddress)

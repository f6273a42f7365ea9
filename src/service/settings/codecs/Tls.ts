/** Codecs of certificate files, and of names of admitted relays. */
import * as Result from "effect/Result"
import { isHostPattern, withoutRootDot } from "../../../net/Hosts.ts"
import type { RelayOptions } from "../../../Relay.ts"
import { fromParse, type TextCodec } from "./Codec.ts"
import { each, listOf } from "./List.ts"

/** Paths separated by commas. */
export const paths: TextCodec<ReadonlyArray<string>> = listOf((text) =>
  /\p{Cc}/u.test(text) ? Result.fail("is not a path") : Result.succeed(text)
)

type RelayPolicy = NonNullable<RelayOptions["relayPeers"]>

/** `all`, `none`, or names of relays. */
export const relayPeers: TextCodec<RelayPolicy> = fromParse<RelayPolicy>(
  (text) =>
    text === "all" || text === "none" ?
      Result.succeed(text) :
      each(text, (one) =>
        isHostPattern(one)
          ? Result.succeed(withoutRootDot(one.toLowerCase()))
          : Result.fail("is not a host name")),
  (policy) => typeof policy === "string" ? policy : policy.join(",")
)

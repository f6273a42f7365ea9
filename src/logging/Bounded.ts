/** Lines of which whoever writes them sees to it that they are not too many: no other budget holds them back. */
import * as Context from "effect/Context"

export const Bounded = Context.Reference<boolean>("msrp-relay/logging/Bounded", { defaultValue: () => false })

/** Variables that say what is logged. */
import { logLevel, oneOf } from "../codecs/Words.ts"
import { variablesOf } from "../Variable.ts"

const { set } = variablesOf("Logging")

export const logging = {
  logLevel: set("MSRP_LOG_LEVEL", logLevel, {
    expects: "all, trace, debug, info, warn, error, fatal or none",
    meaning: "The least severe messages to log.",
    example: "debug",
    default: "info",
    reload: "live"
  }),
  logFormat: set("MSRP_LOG_FORMAT", oneOf("pretty", "json", "logfmt"), {
    expects: `"pretty", "json" or "logfmt"`,
    meaning: "How messages are written to standard output.",
    example: "json",
    default: "pretty"
  })
}

/** Variables that say what is logged. */
import { logLevel, oneOf } from "../codecs/Words.ts"
import { variablesOf } from "../Variable.ts"

const { set } = variablesOf("Logging")

export const logging = {
  logLevel: set("MSRP_LOG_LEVEL", logLevel, {
    expects: "all, trace, debug, info, warn, error, fatal or none",
    meaning: "The lowest level of log lines to write.",
    example: "debug",
    default: "info",
    reload: "live"
  }),
  logFormat: set("MSRP_LOG_FORMAT", oneOf("pretty", "json", "logfmt"), {
    expects: "pretty, json or logfmt",
    meaning: "The format of log lines on standard output.",
    example: "json",
    default: "pretty"
  })
}

/** Flags of `msrp-relay trace`, besides those of the admin API. */
import * as Flag from "effect/cli/Flag"

export const traceFlags = {
  user: Flag.String("user").pipe(
    Flag.withDescription("Only frames of this user (default: all users)"),
    Flag.withMetavar("NAME"),
    Flag.optional
  ),
  realm: Flag.String("realm").pipe(
    Flag.withDescription("Only frames of users in this realm"),
    Flag.withMetavar("REALM"),
    Flag.optional
  ),
  seconds: Flag.Int("seconds").pipe(
    Flag.withDescription("Seconds after which the trace ends (default: until Ctrl-C)"),
    Flag.filter((seconds) => seconds >= 1 && seconds <= 86_400, () => "1 to 86400 seconds"),
    Flag.optional
  ),
  brief: Flag.Boolean("brief").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Print one line for each frame, without headers"),
    Flag.withDefault(false)
  ),
  json: Flag.Boolean("json").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Print one line of JSON for each frame"),
    Flag.withDefault(false)
  )
}

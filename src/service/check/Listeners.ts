/** Checks the listeners: each address and port is bound as the service would bind it, and released. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { OptionsError } from "../../options/Options.ts"
import { Transport, type TransportError } from "../../Transport.ts"
import { socketText } from "../../transport/SocketText.ts"
import type { SettingsShape } from "../Settings.ts"
import { type Finding, findingsOf } from "./Finding.ts"

const { ok, problem, warning } = findingsOf("listeners")

/** A hint for when no relay runs although one should. */
export const START_IT = "start the relay, or check without --running before its start"

/** Linux's first port that needs no privilege. */
const UNPRIVILEGED = "/proc/sys/net/ipv4/ip_unprivileged_port_start"

export interface ListenersOptions {
  /** Whether the relay is running, so that its ports are in use and must answer. */
  readonly running: boolean
}

export const checkListeners = (
  { relay: { listen } }: SettingsShape,
  { running }: ListenersOptions
): Effect.Effect<ReadonlyArray<Finding>, never, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function*() {
    const transport = yield* Transport
    // Binds one after the other and releases all at the end, because listeners may conflict with each other.
    const found = yield* Effect.forEach(listen, (socket) => {
      const target = socketText(socket)
      // The scheme does not matter for binding, and `msrp` needs no certificate.
      return transport.listen({ ...socket, scheme: "msrp" }, () => ({ bytes: () => {}, closed: () => {} })).pipe(
        Effect.as({ isFree: true, finding: ok(target, "can be bound") }),
        Effect.catch((error) =>
          Effect.map(
            running && error.reason === "AddressInUse"
              ? Effect.succeed(ok(target, "is in use, as it should be while the relay is running"))
              : Effect.map(whyNot(error, socket.port), ([message, hint]) => problem(target, message, hint)),
            (finding) => ({ isFree: false, finding })
          )
        )
      )
    })
    return running ? besideRunning(found) : found.map(({ finding }) => finding)
  }).pipe(
    Effect.provide(Transport.layerNode()),
    Effect.catch((error: TransportError | OptionsError) => Effect.succeed([problem("", error.message)]))
  )

/**
 * Checks that a running relay listens on its ports; if it does not, it has not been restarted since they were
 * configured.
 */
const besideRunning = (
  found: ReadonlyArray<{ readonly isFree: boolean; readonly finding: Finding }>
): ReadonlyArray<Finding> => {
  const none = found.every(({ isFree }) => isFree)
  return found.map(({ finding, isFree }) =>
    !isFree
      ? finding
      : none
      ? problem(finding.subject, "nothing listens there: no relay is running with these settings", START_IT)
      : warning(
        finding.subject,
        "nothing listens there: the running relay does not use it",
        "restart the relay, because it reads this setting only at its start"
      )
  )
}

/** Why an address and port cannot be bound, and what to do about it. */
export const whyNot = Effect.fnUntraced(function*(
  error: TransportError,
  port: number
): Effect.fn.Return<readonly [string, string | undefined], never, FileSystem.FileSystem> {
  switch (error.reason) {
    case "AddressInUse":
      return [
        "the port is in use by another program, or by a relay that is already running",
        `\`ss -ltnp sport = ${port}\`, run as root, shows which; if it is the relay, use --running`
      ]
    case "NotPermitted": {
      const first = yield* firstUnprivileged
      return port < first
        ? [
          `this user is not allowed to bind ports below ${first}`,
          "give the service CAP_NET_BIND_SERVICE (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE), or choose a higher port"
        ]
        : ["this user is not allowed to bind it", undefined]
    }
    case "NoSuchAddress":
      return [
        "this machine has no such address",
        "`ip address` shows those that it has; behind a NAT, MSRP_LISTEN has the private address and MSRP_URIS the public one"
      ]
    case "NameNotFound":
      return ["the host name has no address", "set an address, or put the name into DNS or /etc/hosts"]
    default:
      return [error.message, undefined]
  }
})

const firstUnprivileged = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const text = yield* Effect.option(files.readFileString(UNPRIVILEGED))
  return Option.match(text, { onNone: () => 1024, onSome: (line) => Number(line.trim()) })
})

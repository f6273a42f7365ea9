/** The link to the demo page. */
import { isLoopback } from "../net/Hosts.ts"
import type { LocalSocket } from "../Transport.ts"

/**
 * The link to the first of these sockets that serves the page; undefined if none does. The user and password are in the fragment,
 * which a browser does not send.
 */
export const demoLink = (
  sockets: ReadonlyArray<LocalSocket>,
  user: { readonly username: string; readonly password: string } | undefined
): string | undefined => {
  const socket = sockets.find(({ host, transport }) => transport === "ws" && isLoopback(host))
  if (socket === undefined) return undefined
  const { host, port, scheme } = socket
  // `localhost` is familiar, and the certificate that is made at the start is for it.
  const name = host === "127.0.0.1" || host === "::1" ? "localhost" : host
  const fragment = user === undefined
    ? ""
    : `#${new URLSearchParams({ user: user.username, password: user.password }).toString()}`
  return `http${scheme === "msrps" ? "s" : ""}://${name.includes(":") ? `[${name}]` : name}:${port}/${fragment}`
}

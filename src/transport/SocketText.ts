/** Sockets as text, for errors, the log and the admin API. */
import { canonicalHost } from "../protocol/Uri.ts"
import { addressText, type ConnectOptions, type LocalSocket } from "./Connection.ts"

/** `msrps://[::1]:2855` or `wss://192.0.2.1:443`: without the path, which may contain a token. */
export const originText = (
  { host, port, scheme, transport }: Pick<LocalSocket, "host" | "port" | "scheme" | "transport">
): string => {
  const name = transport === "ws" ? scheme === "msrps" ? "wss" : "ws" : scheme
  return `${name}://${addressText({ host, port })}`
}

/** `originText` with the path of a WebSocket, if there is one other than `/`. */
export const socketText = (socket: ConnectOptions | LocalSocket): string =>
  originText(socket) + ("path" in socket && socket.path !== "/" ? socket.path ?? "" : "")

/** `originText` with the host in its canonical form, so that the text of a listener is the same everywhere. */
export const listenerText = (socket: LocalSocket): string => originText({ ...socket, host: canonicalHost(socket.host) })

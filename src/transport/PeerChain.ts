/**
 * What is behind the first certificate of who connects. When Node has verified one, it looks whether it is there
 * (`onServerSocketSecure`) by `getPeerX509Certificate`, which takes those behind it away from OpenSSL and frees none: ten KiB of
 * each would stay for ever, and nobody could see when one of them expires.
 */
import type * as Tls from "node:tls"

/** Private parts of a socket, each of which may be missing. */
interface Inner {
  readonly _handle?: {
    getPeerX509Certificate?: () => unknown
    readonly getPeerCertificate?: (detailed: boolean) => unknown
  } | null
}

/**
 * Has Node see the first certificate only. Of all that a server tells, only keys come before that, with the connection that they are
 * of; they are not looked at.
 */
export const keepChains = (server: Tls.Server): void => {
  server.on("keylog", (_, stream) => {
    const { _handle: handle } = stream as unknown as Inner
    if (typeof handle?.getPeerCertificate !== "function" || Object.hasOwn(handle, "getPeerX509Certificate")) return
    handle.getPeerX509Certificate = () => handle.getPeerCertificate!(false)
  })
}

/** It has seen it. */
export const chainKept = (stream: Tls.TLSSocket): void => {
  const { _handle: handle } = stream as unknown as Inner
  if (handle !== null && handle !== undefined) delete handle.getPeerX509Certificate
}

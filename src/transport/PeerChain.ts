/**
 * Keeps the certificate chain of clients. At the end of a handshake Node tests whether there is a client certificate
 * (`onServerSocketSecure`) by `getPeerX509Certificate`, which takes the chain from OpenSSL without freeing it: that would leak
 * ten KiB per connection, and the expiry of the chain could not be read.
 */
import type * as Tls from "node:tls"
import { handleOf } from "./SocketHandle.ts"

/**
 * Replaces `getPeerX509Certificate` until that test is done. The only event of a server before it that has the connection is
 * "keylog"; the keys are ignored.
 */
export const keepChains = (server: Tls.Server): void => {
  server.on("keylog", (_, stream) => {
    const handle = handleOf(stream)
    if (typeof handle?.getPeerCertificate !== "function" || Object.hasOwn(handle, "getPeerX509Certificate")) return
    handle.getPeerX509Certificate = () => handle.getPeerCertificate!(false)
  })
}

/** Restores the method, when Node has done its test. */
export const chainKept = (stream: Tls.TLSSocket): void => {
  const handle = handleOf(stream)
  if (handle !== null && handle !== undefined) delete handle.getPeerX509Certificate
}

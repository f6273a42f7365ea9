/** Variables of the admin API. */
import { MAX_SOCKET_PATH } from "../../../admin/Address.ts"
import { adminAddress } from "../codecs/Admin.ts"
import { line } from "../codecs/Words.ts"
import { variablesOf } from "../Variable.ts"

const { optional } = variablesOf("Admin")

export const admin = {
  admin: optional("MSRP_ADMIN", adminAddress, {
    expects: `an address and a port, or the absolute path of a Unix socket of at most ${MAX_SOCKET_PATH} octets`,
    meaning:
      "Where the admin API listens, over HTTP: sessions, connections, metrics, and commands; see docs/admin.md. A " +
      "Unix socket is for the user that runs the relay; all users of this machine can connect to loopback; on other " +
      "addresses a token is required.",
    example: "127.0.0.1:2858",
    absent: "none: there is no admin API"
  }),
  adminTokenFile: optional("MSRP_ADMIN_TOKEN_FILE", line, {
    expects: "the path of a file with a token of at least 16 characters",
    meaning:
      "A file with the token that clients of the admin API must send, wherever it listens. It is read again when it " +
      "changes, and no other user should be able to read it.",
    example: "/etc/msrp-relay/admin-token",
    absent: "no token is required, which is possible on loopback and on a Unix socket only"
  })
}

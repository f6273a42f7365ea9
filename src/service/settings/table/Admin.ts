/** Variables of the admin API. */
import { MAX_SOCKET_PATH } from "../../../admin/Address.ts"
import { adminAddress } from "../codecs/Admin.ts"
import { line } from "../codecs/Words.ts"
import { variablesOf } from "../Variable.ts"

const { optional } = variablesOf("Admin")

export const admin = {
  admin: optional("MSRP_ADMIN", adminAddress, {
    expects: `an address and a port, or the absolute path of a Unix socket of at most ${MAX_SOCKET_PATH} octets`,
    meaning: "The address on which the admin API listens for HTTP requests (sessions, connections, metrics, " +
      "commands): docs/admin.md. A Unix socket is accessible only to the user that runs the relay, and " +
      "loopback to all users of this machine. Any other address requires a token.",
    example: "127.0.0.1:2858",
    absent: "the admin API is off"
  }),
  adminTokenFile: optional("MSRP_ADMIN_TOKEN_FILE", line, {
    expects: "the path of a file that contains a token of at least 16 characters",
    meaning: "A file with the token that clients of the admin API must send, on whatever address it listens. The " +
      "file is read again when it changes. Only the user that runs the relay should be able to read it.",
    example: "/etc/msrp-relay/admin-token",
    absent: "no token is required; this is possible only on loopback and on a Unix socket"
  })
}

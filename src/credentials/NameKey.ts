/** A short key for a user name, where names are remembered: strangers may send names of up to two thousand octets. */
import { hash } from "node:crypto"

/** Maximum number of characters of a name that is its own key; a longer one is hashed. */
const MAX_NAME = 64

/** The key of a name. That of a long name has a line break, which no user name contains, so keys do not collide. */
export const nameKey = (username: string): string =>
  username.length <= MAX_NAME ? username : `\n${hash("sha256", username, "base64url")}`

/** What stands for a user name where names are remembered, those of nobody too: anybody can say that he has one of two thousand octets. */
import { hash } from "node:crypto"

/** Characters of a name that is remembered as it is. */
const MAX_NAME = 64

/** No name has a line break, so none is the key of a longer one. */
export const nameKey = (username: string): string =>
  username.length <= MAX_NAME ? username : `\n${hash("sha256", username, "base64url")}`

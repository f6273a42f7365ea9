/** Words for a source of users of which nobody can log in. */
import type { UsersBackend } from "../../Admin.ts"

export const unusableOf = ({ backend, unserved, users }: UsersBackend): ReadonlyArray<string> => [
  ...users === 0 ? [`none in ${backend}: its logins are refused`] : [],
  ...unserved === undefined ? [] : [`none in ${backend} can log in: it has ${unserved}`]
]

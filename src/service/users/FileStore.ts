/** Users in a file as `htdigest` writes it. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { digestAlgorithms } from "../../protocol/digest/Digest.ts"
import { userFile } from "./UserFile.ts"
import { checked, composed, hashes, type NewUser, type UserName, type UserStore, wrong } from "./UserStore.ts"

/** The lines of a user in a credentials file. */
export const linesOf = (user: NewUser): ReadonlyArray<string> => {
  const made = hashes(user)
  const { realm, username } = composed(user)
  return digestAlgorithms.map((algorithm) => `${username}:${realm}:${made[algorithm]}`)
}

const isComment = (line: string): boolean => line.trimStart().startsWith("#")

/**
 * Why a file cannot contain a user, although a database can: the line would be a comment, or be split at another colon. By
 * default the realm is the host that clients address, which may be an IPv6 address.
 */
export const notInFile = ({ realm, username }: UserName): string | undefined =>
  isComment(username)
    ? "In a file no user name begins with #, which begins a comment; in a database one may"
    : realm.includes(":")
    ? "In a file no realm has a colon, as an IPv6 address has: set MSRP_AUTH_REALM to another one, or use a database"
    : undefined

export const fileStore = (path: string): Effect.Effect<UserStore, never, FileSystem.FileSystem> =>
  Effect.map(FileSystem.FileSystem, (fs) => {
    const { locked, read, write } = userFile(fs, path)
    const isOf = (user: UserName) => {
      const { realm, username } = composed(user)
      const start = `${username}:${realm}:`
      return (line: string): boolean => !isComment(line) && line.normalize("NFC").startsWith(start)
    }
    return {
      add: Effect.fnUntraced(function*(user) {
        yield* checked(user)
        const reason = notInFile(user)
        if (reason !== undefined) return yield* wrong(reason)
        const is = isOf(user)
        yield* locked(
          Effect.flatMap(read, (lines) => write([...lines.filter((line) => !is(line)), ...linesOf(user)]))
        )
      }),
      remove: (user) => {
        const is = isOf(user)
        const others = Effect.map(read, (lines) => {
          const left = lines.filter((line) => !is(line))
          return left.length === lines.length ? undefined : left
        })
        const change = Effect.flatMap(
          others,
          (left) => left === undefined ? Effect.succeed(false) : Effect.as(write(left), true)
        )
        // Locks only if there is something to remove, because the folder of the file may not exist.
        return Effect.flatMap(others, (left) => left === undefined ? Effect.succeed(false) : locked(change))
      },
      list: Effect.map(read, (lines) => {
        const names = new Map<string, UserName>()
        for (const line of lines) {
          const [username, realm] = line.normalize("NFC").split(":")
          if (!isComment(line) && username !== undefined && realm !== undefined) {
            names.set(`${username}:${realm}`, { username, realm })
          }
        }
        return [...names.values()]
      })
    }
  })

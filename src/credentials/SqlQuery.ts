/** Queries the table of users for the rows of one user: within a time limit, and with errors as an `SqlFault`. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type { Query } from "./SqlDrivers.ts"
import { faultOf, isUnwritable, SqlFault, wrongType } from "./SqlFault.ts"
import { type Dialect, misfitOf, type Row, statementOf, type SubscriberTable, typesStatementOf } from "./SqlTable.ts"

interface UserQueryOptions {
  readonly ask: Query
  readonly dialect: Dialect
  readonly table: SubscriberTable
  /** Whether the column of passwords is read, instead of those of H(A1). */
  readonly calculateHa1: boolean
  /** Seconds. */
  readonly timeout: number
  /** Appended to the words of every fault. */
  readonly where: string
}

/** Finds the rows of a user in a realm. */
export type UserQuery = (username: string, realm: string) => Effect.Effect<ReadonlyArray<Row>, SqlFault>

/**
 * Checks the types of the columns until one check has succeeded. With a column of an unsuitable type no user would be found,
 * and nothing would say why.
 */
const makeTypeCheck = ({ ask, calculateHa1, dialect, table }: UserQueryOptions): Effect.Effect<void, SqlFault> => {
  const statement = typesStatementOf(dialect, table, calculateHa1)
  if (statement === undefined) return Effect.void
  let fits = false
  const check = ask(statement, []).pipe(
    // Some databases speak the protocol of PostgreSQL and do not tell the types of columns.
    Effect.catch(() => Effect.succeed([])),
    Effect.flatMap(([row]) => {
      const misfit = misfitOf(row ?? {}, table, calculateHa1)
      fits = misfit === undefined
      return misfit === undefined ? Effect.void : Effect.fail(wrongType(misfit))
    })
  )
  return Effect.suspend(() => fits ? Effect.void : check)
}

export const makeUserQuery = Effect.fnUntraced(function*(
  options: UserQueryOptions
): Effect.fn.Return<UserQuery, never, Scope.Scope> {
  const { ask, calculateHa1, dialect, table, timeout, where } = options
  const scope = yield* Scope.Scope
  const statement = statementOf(dialect, table, calculateHa1)
  const names = Object.values(table).filter((name) => name !== undefined)
  const typeCheck = makeTypeCheck(options)
  return (username, realm) =>
    ask(statement, table.domain === undefined ? [username] : [username, realm]).pipe(
      Effect.catchIf(isUnwritable, () => Effect.succeed([])),
      Effect.mapError((error) => faultOf(error, names)),
      Effect.tap(() => typeCheck),
      // A driver may take long to cancel a query: that of PostgreSQL asks the server to. The lookup does not wait for that.
      Effect.forkIn(scope, { startImmediately: true }),
      Effect.flatMap((asking) =>
        Effect.timeoutOrElse(Fiber.join(asking), {
          duration: timeout * 1000,
          orElse: () => Effect.fail(new SqlFault("no answer in time"))
        }).pipe(Effect.ensuring(Effect.sync(() => asking.interruptUnsafe())))
      ),
      Effect.mapError(({ lasting, words }) => new SqlFault(words + where, lasting))
    )
})

/** Finds out whether a table has users of realms whose users are not looked up there, so that they cannot log in. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { defined } from "../options/Defined.ts"
import type { SqlOptions } from "./Sql.ts"
import { driverOf } from "./SqlDrivers.ts"
import { othersIn, othersStatementOf, subscriberTable } from "./SqlTable.ts"

/** Seconds: it reads the whole table, which may be too large for that. */
const TIMEOUT = 3

/** The number of users of other realms, with one such realm; `undefined` if there are none, or the table does not tell. */
export const otherUsersInTable = Effect.fnUntraced(function*(
  { table: names, url: redacted }: SqlOptions,
  asked: ReadonlyArray<string>
): Effect.fn.Return<{ readonly users: number; readonly realm: string } | undefined, never, Scope.Scope> {
  const url = Redacted.value(redacted)
  const driver = driverOf(url)
  if (driver === undefined || asked.length === 0) return undefined
  const domain = names !== undefined && "domain" in names ? names.domain : subscriberTable.domain
  const statement = othersStatementOf(driver, { ...subscriberTable, ...defined(names), domain }, asked.length)
  if (statement === undefined) return undefined
  return yield* driver.open({ url, connections: 1, timeout: TIMEOUT }).pipe(
    Effect.flatMap((ask) => ask(statement, asked)),
    Effect.timeout(TIMEOUT * 1000),
    Effect.map(([row]) => othersIn(row ?? {})),
    Effect.catch(() => Effect.succeed(undefined))
  )
})

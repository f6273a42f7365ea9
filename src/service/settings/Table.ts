/**
 * Every variable, in the order of the documentation. `.env.example` and docs/configuration.md are made from this
 * table.
 */
import { addresses } from "./table/Addresses.ts"
import { admin } from "./table/Admin.ts"
import { auth } from "./table/Auth.ts"
import { envFile } from "./table/EnvFile.ts"
import { limits } from "./table/Limits.ts"
import { logging } from "./table/Logging.ts"
import { nextHops } from "./table/NextHops.ts"
import { sessions } from "./table/Sessions.ts"
import { tls } from "./table/Tls.ts"
import { trace } from "./table/Trace.ts"
import { users } from "./table/Users.ts"
import { webSocket } from "./table/WebSocket.ts"
import type { Setting } from "./Variable.ts"

export const variables = {
  ...addresses,
  ...users,
  ...auth,
  ...tls,
  ...sessions,
  ...nextHops,
  ...webSocket,
  ...limits,
  ...logging,
  ...trace,
  ...envFile,
  ...admin
}

export type Variables = typeof variables

export type VariableKey = keyof Variables

/** The keys of all variables, in the order of the documentation. */
export const variableKeys = Object.keys(variables) as ReadonlyArray<VariableKey>

/** The values of all variables. */
export type Values = { readonly [K in VariableKey]: Variables[K]["~A"] }

/** All variables, in the order of the documentation. */
export const settingsTable: ReadonlyArray<Setting> = Object.values(variables)

/** The password of subcommands. It is not a setting of the service, but may be set beside them. */
export const PASSWORD = "MSRP_PASSWORD"

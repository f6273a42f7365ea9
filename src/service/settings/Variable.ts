/** A variable: its codec, and its documentation. */
import type { TextCodec } from "./codecs/Codec.ts"

/** The documentation of a variable. */
export interface Setting {
  readonly variable: string
  readonly group: SettingGroup
  /** Its valid values, phrased to follow "must be". */
  readonly expects: string
  readonly meaning: string
  /** A valid value. */
  readonly example: string
  /** The text used when the variable is not set; `undefined` if `absent` says what happens instead. */
  readonly default: string | undefined
  /** What it means that the variable is not set. */
  readonly absent: string | undefined
  /** The equivalent parameter of OpenSIPS' `msrp_relay`. */
  readonly opensips: string | undefined
  /** Whether a change takes effect by a reload, or only at the next start. */
  readonly reload: "live" | "restart"
}

export type SettingGroup =
  | "Addresses"
  | "Users"
  | "AUTH"
  | "TLS"
  | "Sessions"
  | "Next hops"
  | "WebSocket"
  | "Limits"
  | "Logging"
  | "Trace"
  | "File of variables"
  | "Admin"

/** A variable whose value is an `A`. */
export interface Variable<out A> extends Setting {
  readonly codec: TextCodec<unknown>
  readonly "~A": A
}

interface Row {
  readonly expects: string
  readonly meaning: string
  readonly example: string
  readonly opensips?: string
  /** Default: `restart`. */
  readonly reload?: Setting["reload"]
}

/** Makes the variables of one group. */
export const variablesOf = (group: SettingGroup) => {
  const make = (
    variable: string,
    codec: TextCodec<unknown>,
    row: Row & { readonly default?: string; readonly absent?: string }
  ): Setting & { readonly codec: TextCodec<unknown> } => ({
    variable,
    group,
    codec,
    default: undefined,
    absent: undefined,
    opensips: undefined,
    reload: "restart",
    ...row
  })
  return {
    /** A variable that always has a value. */
    set: <A>(variable: string, codec: TextCodec<A>, row: Row & { readonly default: string }): Variable<A> =>
      make(variable, codec, row) as Variable<A>,
    /** A variable that may be left out. */
    optional: <A>(
      variable: string,
      codec: TextCodec<A>,
      row: Row & { readonly absent: string }
    ): Variable<A | undefined> => make(variable, codec, row) as Variable<A | undefined>
  }
}

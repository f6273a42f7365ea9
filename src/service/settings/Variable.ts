/** One variable: its codec, and what the documentation says of it. */
import type { TextCodec } from "./codecs/Codec.ts"

/** What is known of a variable besides its codec. */
export interface Setting {
  readonly variable: string
  readonly group: SettingGroup
  /** What may be in it, as it fits behind "must be". */
  readonly expects: string
  readonly meaning: string
  /** A value that works. */
  readonly example: string
  /** The text that counts when the variable is not set; `undefined` when `absent` tells what happens then. */
  readonly default: string | undefined
  /** What it means that the variable is not set. */
  readonly absent: string | undefined
  /** The parameter of OpenSIPS' `msrp_relay` that does the same. */
  readonly opensips: string | undefined
  /** Whether a reload takes a change over, or only the next start does. */
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

/** A variable: `A` is what it is read into. */
export interface Variable<out A> extends Setting {
  readonly codec: TextCodec<unknown>
  readonly "~A": A
}

interface Row {
  readonly expects: string
  readonly meaning: string
  readonly example: string
  readonly opensips?: string
  /** Absent: `restart`. */
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

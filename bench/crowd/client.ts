/**
 * A client of the crowd, in a process of its own. It has one role, and its parent calls the methods of that role.
 */
import type { Access } from "../pair.ts"
import { Busy } from "./roles/Busy.ts"
import { Fan } from "./roles/Fan.ts"
import { Flood } from "./roles/Flood.ts"
import { Logins } from "./roles/Logins.ts"
import { Quiet } from "./roles/Quiet.ts"

const roles = { Busy, Fan, Flood, Logins, Quiet }

export type Roles = typeof roles

export interface Call {
  readonly id: number
  /** The first call is `open`, with the name of the role before its arguments. */
  readonly method: string
  readonly args: ReadonlyArray<unknown>
}

export interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

let role: unknown

const open = async (name: keyof Roles, access: Access, options: unknown): Promise<void> => {
  const { open } = roles[name] as { readonly open: (access: Access, options: unknown) => Promise<unknown> }
  role = await open(access, options)
}

process.on("message", ({ args, id, method }: Call) => {
  const run = async (): Promise<unknown> =>
    method === "open"
      ? open(...args as Parameters<typeof open>)
      : (role as Record<string, (...args: ReadonlyArray<unknown>) => unknown>)[method]!(...args)
  run().then(
    (result) => process.send!({ id, result } satisfies Answer),
    (error: unknown) => process.send!({ id, error: (error as Error).message } satisfies Answer)
  )
})
process.once("disconnect", () => process.exit())

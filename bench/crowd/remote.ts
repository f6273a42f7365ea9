import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { onProcessors } from "../cpu.ts"
import type { Access } from "../pair.ts"
import type { Answer, Call, Roles } from "./client.ts"
import type { Metered } from "./roles/Meter.ts"

const entry = fileURLToPath(new URL("client.ts", import.meta.url))

/** Seconds that a call may take; a storm of logins takes longest. */
const PATIENCE = 180

type Role<N extends keyof Roles> = Awaited<ReturnType<Roles[N]["open"]>>
export type Options<N extends keyof Roles> = Parameters<Roles[N]["open"]> extends [Access, infer O] ? [options: O] : []
type Methods<R> = { [K in keyof R as R[K] extends (...args: never) => unknown ? K : never]: R[K] }

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

/** A client of the crowd, as its parent uses it. */
export class Remote<R> {
  private readonly child: ChildProcess
  private readonly waiting = new Map<number, Waiting>()
  private calls = 0

  private constructor(processors: string | undefined) {
    const [execPath, ...execArgv] = onProcessors(processors, [process.execPath, "--max-semi-space-size=16"])
    this.child = fork(entry, { execPath, execArgv })
    this.child.on("message", ({ error, id, result }: Answer) => {
      const waiting = this.waiting.get(id)
      this.waiting.delete(id)
      if (error === undefined) waiting?.resolve(result)
      else waiting?.reject(new Error(error))
    })
    this.child.once("exit", (status, signal) => {
      for (const { reject } of this.waiting.values()) reject(new Error(`a client ended with ${signal ?? status}`))
    })
  }

  /** Starts a process with this role. */
  static async open<N extends keyof Roles>(
    name: N,
    access: Access,
    processors: string | undefined,
    ...options: Options<N>
  ): Promise<Remote<Role<N>>> {
    const remote = new Remote<Role<N>>(processors)
    try {
      await remote.send("open", [name, access, ...options])
      return remote
    } catch (error) {
      remote.end()
      throw error
    }
  }

  /** Calls a method of the role. */
  call<K extends keyof Methods<R> & string>(
    method: K,
    ...args: Methods<R>[K] extends (...args: infer A) => unknown ? A : never
  ): Promise<Methods<R>[K] extends (...args: never) => infer A ? Awaited<A> : never> {
    return this.send(method, args) as never
  }

  /** For roles that are a `Meter`. */
  async begin(pids: ReadonlyArray<number>): Promise<void> {
    await this.send("begin", [pids])
  }

  async measured(): Promise<Metered> {
    return await this.send("end", []) as Metered
  }

  /** Ends the process, which closes all its connections. */
  end(): void {
    this.child.kill("SIGKILL")
  }

  private send(method: string, args: ReadonlyArray<unknown>): Promise<unknown> {
    const id = ++this.calls
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error(`"${method}" took too long`)), PATIENCE * 1000)
      const settle = <A>(how: (value: A) => void) => (value: A) => {
        clearTimeout(limit)
        how(value)
      }
      this.waiting.set(id, { resolve: settle(resolve), reject: settle(reject) })
      this.child.send({ id, method, args } satisfies Call)
    })
  }
}

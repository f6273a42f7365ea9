/** A name server on loopback that knows some SRV records. */
import { type Answer, decode, encode } from "dns-packet"
import * as Effect from "effect/Effect"
import { createSocket } from "node:dgram"
import type { SrvRecord } from "../src/Resolver.ts"

const NXDOMAIN = 3

export const nameServer = (records: Readonly<Record<string, ReadonlyArray<SrvRecord>>>) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly asked: Array<string>; readonly address: string; readonly close: () => void }>(
      (resume) => {
        /** Types and names that were asked for. */
        const asked: Array<string> = []
        const socket = createSocket("udp4")
        socket.on("message", (octets, { address, port }) => {
          const { id, questions = [] } = decode(octets)
          const [{ name, type }] = questions as [{ readonly name: string; readonly type: string }]
          asked.push(`${type} ${name}`)
          const known = type === "SRV" ? records[name.toLowerCase()] : undefined
          const answers = (known ?? []).map((data): Answer => ({ type: "SRV", name, ttl: 60, data }))
          const flags = known === undefined ? NXDOMAIN : 0
          socket.send(encode({ type: "response", id: id ?? 0, flags, questions, answers }), port, address)
        })
        socket.bind(0, "127.0.0.1", () => {
          resume(Effect.succeed({ asked, address: `127.0.0.1:${socket.address().port}`, close: () => socket.close() }))
        })
      }
    ),
    ({ close }) => Effect.sync(close)
  )

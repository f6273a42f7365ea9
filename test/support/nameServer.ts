/** A name server on loopback that knows some SRV records. */
import { type Answer, decode, encode, type Packet, streamEncode, TRUNCATED_RESPONSE } from "dns-packet"
import * as Effect from "effect/Effect"
import { createSocket } from "node:dgram"
import { type AddressInfo, createServer } from "node:net"
import type { SrvRecord } from "../../src/Resolver.ts"

const SERVFAIL = 2
const NXDOMAIN = 3

export interface NameServerOptions {
  /** What is too long for a datagram is told over TCP. */
  readonly truncates?: boolean
  /** It answers that it cannot tell. */
  readonly fails?: boolean
  /** What it sends instead of an answer: in this order. */
  readonly instead?: (answer: Packet) => ReadonlyArray<Packet>
}

/** Records without a TTL may be remembered for a minute. */
export const nameServer = (
  records: Readonly<Record<string, ReadonlyArray<SrvRecord>>>,
  { fails = false, instead = (answer) => [answer], truncates = false }: NameServerOptions = {}
) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly asked: Array<string>; readonly address: string; readonly close: () => void }>(
      (resume) => {
        /** Types and names that were asked for. */
        const asked: Array<string> = []
        const answer = (octets: Buffer): Packet => {
          const { id, questions = [] } = decode(octets)
          const [{ name, type }] = questions as [{ readonly name: string; readonly type: string }]
          asked.push(`${type} ${name}`)
          const known = type === "SRV" ? records[name.toLowerCase()] : undefined
          const answers = (known ?? []).map(({ ttl = 60, ...data }): Answer => ({ type: "SRV", name, ttl, data }))
          const flags = fails ? SERVFAIL : known === undefined ? NXDOMAIN : 0
          return { type: "response", id: id ?? 0, flags, questions, answers }
        }
        const tcp = createServer((socket) => {
          socket.on("data", (octets) => void socket.end(streamEncode(answer(octets.subarray(2)))))
        })
        const udp = createSocket("udp4")
        udp.on("message", (octets, { address, port }) => {
          const { id = 0 } = decode(octets)
          // Somebody else's, and of no use.
          udp.send(encode({ type: "response", id: id ^ 1, flags: NXDOMAIN }), port, address)
          udp.send("no DNS", port, address)
          if (truncates) {
            const whole = encode({ type: "response", id, flags: TRUNCATED_RESPONSE })
            udp.send(Buffer.concat([whole, Buffer.from("cut")]), port, address)
          } else for (const packet of instead(answer(octets))) udp.send(encode(packet), port, address)
        })
        tcp.listen(0, "127.0.0.1", () => {
          const { port } = tcp.address() as AddressInfo
          udp.bind(port, "127.0.0.1", () => {
            const close = () => {
              tcp.close()
              udp.close()
            }
            resume(Effect.succeed({ asked, address: `127.0.0.1:${port}`, close }))
          })
        })
      }
    ),
    ({ close }) => Effect.sync(close)
  )

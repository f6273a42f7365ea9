/** A client and the other end of its connection, on the simulated network. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Client from "../../src/Client.ts"
import { Codec } from "../../src/Codec.ts"
import { TestNetwork, Transport } from "../../src/Transport.ts"
import { scripted } from "./Scripted.ts"

export const relay = "msrp://relay.example.com:2855;tcp"
export const peer = "msrp://bob.example.net:8145/kjhd37s2s20w2a;tcp"
export const simulated = Layer.mergeAll(Transport.layerTest(), Codec.layer)
export const settled = Effect.flatMap(TestNetwork, (network) => network.settled)

export const pair = Effect.fnUntraced(function*(options: Partial<Client.ConnectOptions> = {}) {
  const socket = { scheme: "msrp", transport: options.transport, host: "relay.example.com", port: 2855 } as const
  const other = yield* scripted(socket)
  const client = yield* Client.connect({ ...socket, ...options })
  return { client, other: yield* other.end }
})

/** A SEND from the peer to the client, in one chunk. */
export const sendTo = (client: Client.Client, id: string, options: {
  readonly body: string
  /** First octet and total. */
  readonly at?: readonly [number, number | "*"]
  readonly headers?: string
  readonly flag?: string
}): string => {
  const { at: [first, total] = [1, options.body.length], body, flag = "$", headers = "" } = options
  return `MSRP ${id} SEND\r\nTo-Path: ${client.uri}\r\nFrom-Path: ${relay} ${peer}\r\nMessage-ID: message1\r\n` +
    `Byte-Range: ${first}-${first + body.length - 1}/${total}\r\n${headers}Content-Type: text/plain\r\n\r\n` +
    `${body}\r\n-------${id}${flag}\r\n`
}

/** A REPORT to the client. */
export const reportTo = (client: Client.Client, messageId: string, range: string, status: number): string =>
  `MSRP report12 REPORT\r\nTo-Path: ${client.uri}\r\nFrom-Path: ${relay} ${peer}\r\nMessage-ID: ${messageId}\r\n` +
  `Byte-Range: ${range}\r\nStatus: 000 ${status} Text\r\n-------report12$\r\n`

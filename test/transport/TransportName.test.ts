import { assert, it } from "vitest"
import type { LocalSocket } from "../../src/transport/Connection.ts"
import { transportNameOf } from "../../src/transport/TransportName.ts"

const socket: LocalSocket = { scheme: "msrp", host: "127.0.0.1", port: 2855 }

it("names what carries MSRP: what was dialled is never WebSocket, wherever it leaves from", () => {
  const ws = { ...socket, transport: "ws" } as const
  assert.deepStrictEqual(
    [
      transportNameOf({ secure: false, socket }),
      transportNameOf({ secure: true, socket }),
      transportNameOf({ secure: false, socket: ws }),
      transportNameOf({ inbound: true, secure: true, socket: ws }),
      transportNameOf({ inbound: false, secure: true, socket: ws }),
      transportNameOf({ secure: false, socket: undefined })
    ],
    ["tcp", "tls", "ws", "wss", "tls", "tcp"]
  )
})

import { assert, describe, it } from "vitest"
import { listenerText, originText, socketText } from "../../src/transport/SocketText.ts"

describe("the text of a socket", () => {
  const pages = { scheme: "msrps", transport: "ws", host: "2001:DB8::1", port: 443, path: "/msrp" } as const

  it("has the scheme of its transport, an IPv6 address in brackets, and the path of a WebSocket", () => {
    assert.strictEqual(socketText(pages), "wss://[2001:DB8::1]:443/msrp")
    assert.strictEqual(socketText({ ...pages, scheme: "msrp", path: "/" }), "ws://[2001:DB8::1]:443")
    assert.strictEqual(socketText({ scheme: "msrp", host: "a.example", port: 2855 }), "msrp://a.example:2855")
  })

  it("has no path where a token could be in it", () => {
    assert.strictEqual(originText(pages), "wss://[2001:DB8::1]:443")
  })

  it("is one and the same for a listener, however its host is written", () => {
    assert.strictEqual(listenerText(pages), "wss://[2001:db8::1]:443")
    assert.strictEqual(listenerText({ scheme: "msrps", host: "0:0:0:0:0:0:0:1", port: 2855 }), "msrps://[::1]:2855")
    assert.strictEqual(listenerText({ scheme: "msrp", host: "LOCALHOST", port: 2855 }), "msrp://localhost:2855")
  })
})

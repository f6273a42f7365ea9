/** Who a client is that comes by a proxy, from the environment to the log: what the proxy says counts as if he had come himself. */
import { once } from "node:events"
import * as Net from "node:net"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { eventually, freePort, output, start, type Started } from "../support/service.ts"
import { headOf, LINES } from "../support/webSockets.ts"

const AUTH = (port: number): string =>
  `MSRP abcd1234 AUTH\r\nTo-Path: msrp://127.0.0.1:${port};tcp\r\nFrom-Path: msrp://a.invalid:9/a;tcp\r\n-------abcd1234$\r\n`

/** The octets of a message of a client, of less than 126 octets, with a masking key of zeros. */
const masked = (text: string): Buffer => {
  const body = Buffer.from(text, "latin1")
  return Buffer.concat([Buffer.from([0x82, 0x80 | body.length, 0, 0, 0, 0]), body])
}

/** Of 203.0.113.7:4711, who speaks TLS to the proxy. */
const BY_TLS = Buffer.from("0d0a0d0a000d0a515549540a21110014cb007107c633640112670b272000050100000000", "hex")

describe("clients behind a proxy", { timeout: 60_000 }, () => {
  let relay: Started | undefined
  let ws: number
  let log: { readonly text: string }

  beforeAll(async () => {
    const port = await freePort()
    ws = await freePort()
    relay = await start({
      port,
      env: {
        MSRP_LISTEN: `msrp:127.0.0.1:${port},ws:127.0.0.1:${ws}`,
        MSRP_TRUSTED_PROXIES: "127.0.0.1",
        MSRP_PROXY_PROTOCOL: "tcp"
      }
    })
    log = output(relay.child)
  }, 60_000)
  afterAll(() => void relay?.child.kill("SIGKILL"))

  /** The status that the AUTH gets. */
  const asked = async (port: number, ...octets: ReadonlyArray<string | Buffer>): Promise<string | undefined> => {
    const socket = Net.connect(port, "127.0.0.1")
    let answer = ""
    socket.on("data", (data: Buffer) => answer += data.toString("latin1"))
    socket.on("error", () => {})
    await once(socket, "connect")
    socket.write(Buffer.concat(octets.map((one) => Buffer.from(one as string, "latin1"))))
    await eventually(() => /MSRP abcd1234 \d{3}|HTTP\/1\.1 4/.test(answer), "an answer")
    socket.destroy()
    return (/MSRP abcd1234 (\d{3})/.exec(answer) ?? /HTTP\/1\.1 (\d{3})/.exec(answer))?.[1]
  }
  const line = "PROXY TCP4 203.0.113.7 198.51.100.1 4711 2855\r\n"

  it("R4976-9.2: is not on this machine because the proxy is: AUTH without TLS is refused, by his own address in the log", async () => {
    assert.strictEqual(await asked(relay!.port, line, AUTH(relay!.port)), "403")
    await eventually(
      () => /message="login failed".* remote=203\.0\.113\.7:4711 .*AUTH without TLS/.test(log.text),
      "line"
    )
    const forwarded = ["X-Forwarded-For: 198.51.100.9", "X-Forwarded-Proto: http"]
    assert.strictEqual(await asked(ws, headOf([...LINES, ...forwarded]), masked(AUTH(relay!.port))), "403")
    await eventually(
      () => /message="login failed".* remote=198\.51\.100\.9:0 .*AUTH without TLS/.test(log.text),
      "line"
    )
  })

  it("R4976-9.2: is not on this machine either where the proxy hides whose address it is", async () => {
    assert.strictEqual(await asked(relay!.port, "PROXY UNKNOWN\r\n", AUTH(relay!.port)), "403")
    for (
      const forwarded of [
        "Forwarded: for=_hidden",
        "Forwarded: for=unknown;proto=http",
        "X-Forwarded-For: unknown",
        "X-Forwarded-Proto: http"
      ]
    ) {
      const head = headOf([...LINES, forwarded])
      assert.strictEqual(await asked(ws, head, masked(AUTH(relay!.port))), "403", forwarded)
    }
    const byTls = headOf([...LINES, "Forwarded: for=_hidden;proto=https"])
    assert.strictEqual(await asked(ws, byTls, masked(AUTH(relay!.port))), "401")
    // Who comes without a word of a proxy is on this machine.
    assert.strictEqual(await asked(ws, headOf(LINES), masked(AUTH(relay!.port))), "401")
  })

  it("speaks TLS when the proxy says so: he is asked for his credentials", async () => {
    assert.strictEqual(await asked(relay!.port, BY_TLS, AUTH(relay!.port)), "401")
    const forwarded = ["X-Forwarded-For: 198.51.100.9", "X-Forwarded-Proto: https"]
    assert.strictEqual(await asked(ws, headOf([...LINES, ...forwarded]), masked(AUTH(relay!.port))), "401")
  })

  it("says nothing that counts where it contradicts the proxy", async () => {
    const lines = ["Forwarded: for=127.0.0.1;proto=https", "X-Forwarded-For: 198.51.100.9", "X-Forwarded-Proto: http"]
    assert.strictEqual(await asked(ws, headOf([...LINES, ...lines]), masked(AUTH(relay!.port))), "400")
  })
})

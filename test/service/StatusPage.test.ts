/** The status page of the real service under load, in a real browser: what it shows is what happened. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Browser, Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { bundlePage } from "../../src/admin/page/bundle.ts"
import type { Status } from "../../src/admin/StatusFeed.ts"
import { BUNDLE } from "../../src/admin/StatusPage.ts"
import * as Client from "../../src/Client.ts"
import { Codec } from "../../src/Codec.ts"
import { Transport } from "../../src/Transport.ts"
import { readPage, valueOf } from "../metrics/page.ts"
import { attemptPromtool, PROMTOOL } from "../metrics/promtool.ts"
import { hasBrowser, launch, open, state } from "../support/browser.ts"
import { eventually, freePort, start, type Started } from "../support/service.ts"

const CLIENTS = 100
const SIZES = [1, 300, 700, 2049, 20_000]

/** Where screenshots are left, to be looked at. */
const SHOTS = process.env["MSRP_TEST_SHOTS"]

/** One who logs in, and what he has counted. */
interface User {
  readonly name: string
  readonly client: Client.Client
  readonly grant: Client.Grant
  sent: number
  octetsSent: number
  received: number
  octetsReceived: number
}

/** Octets that clients wrote and got. */
const octets = { written: 0, got: 0 }

const counting = (transport: Transport["Service"]): Transport["Service"] => ({
  ...transport,
  connect: (options, accept) =>
    transport.connect(options, (connection) => {
      const write = connection.write.bind(connection)
      Object.assign(connection, {
        write: (bytes: Uint8Array, done: () => void) => {
          octets.written += bytes.length
          write(bytes, done)
        }
      })
      const receiver = accept(connection)
      return {
        bytes: (bytes) => {
          octets.got += bytes.length
          receiver.bytes(bytes)
        },
        closed: () => receiver.closed()
      }
    })
})

const network = Layer.merge(
  Layer.effect(Transport, Effect.map(Transport, counting)).pipe(Layer.provide(Transport.layerNode())),
  Codec.layer
)

const sum = (users: ReadonlyArray<User>, of: "sent" | "octetsSent" | "received" | "octetsReceived"): number =>
  users.reduce((total, user) => total + user[of], 0)

/** A number as the page writes it. */
const figure = async (page: Page, selector: string, at = 0): Promise<number> =>
  Number((await page.locator(selector).nth(at).textContent())!.replaceAll(",", ""))

const whole = new Intl.NumberFormat("en")

describe.skipIf(!hasBrowser)("the status page of a service with a hundred users who talk", { timeout: 180_000 }, () => {
  let browser: Browser
  let service: Started
  let admin: number
  const scope = Scope.makeUnsafe()
  const stopped = { is: false }
  const run = <A, E>(effect: Effect.Effect<A, E, Scope.Scope | Transport | Codec>): Promise<A> =>
    Effect.runPromise(effect.pipe(Effect.provide(context), Effect.provideService(Scope.Scope, scope)))
  let context: Context.Context<Transport | Codec>

  beforeAll(async () => {
    // What the service has is what is here, whether or not it was built since.
    await mkdir(new URL(".", BUNDLE), { recursive: true })
    await writeFile(BUNDLE, await bundlePage())
    browser = await launch()
    admin = await freePort()
    service = await start({
      stdout: "ignore",
      env: {
        MSRP_ADMIN: `127.0.0.1:${admin}`,
        MSRP_USERS: Array.from({ length: CLIENTS }, (_, i) => `user${i}:secret${i}`).join(",")
      }
    })
    context = await Effect.runPromise(Scope.provide(Layer.build(network), scope))
  }, 120_000)
  afterAll(async () => {
    stopped.is = true
    await Effect.runPromise(Scope.close(scope, Exit.void))
    await browser?.close()
    service?.child.kill("SIGKILL")
  })

  const login = Effect.fnUntraced(function*(i: number, password = `secret${i}`) {
    const { port } = service
    const client = yield* Client.connect({ scheme: "msrp", host: "127.0.0.1", port })
    const grant = yield* client.auth({ relay: `msrp://127.0.0.1:${port};tcp`, username: `user${i}`, password })
    const user: User = { name: `user${i}`, client, grant, sent: 0, octetsSent: 0, received: 0, octetsReceived: 0 }
    yield* Effect.forkScoped(Effect.forever(Effect.map(client.messages.take, ({ length }) => {
      user.received++
      user.octetsReceived += length
    })))
    return user
  })

  /** Each writes to the other in turn, the next message when the one before is confirmed. */
  const talk = Effect.fnUntraced(function*(one: User, other: User) {
    for (let i = 0; !stopped.is; i++) {
      const [from, to] = i % 3 === 0 ? [other, one] as const : [one, other] as const
      const body = "x".repeat(SIZES[i % SIZES.length]!)
      yield* from.client.send({ toPath: [...from.grant.usePath, ...Client.peerPath(to.grant, to.client.uri)], body })
      from.sent++
      from.octetsSent += body.length
    }
  })

  const asked = (path: string, method = "GET") => fetch(`http://127.0.0.1:${admin}${path}`, { method })
  const metrics = async () => (await asked("/metrics")).text()

  const shot = async (page: Page, name: string): Promise<void> => {
    if (SHOTS !== undefined) await page.screenshot({ path: join(SHOTS, `service-${name}.png`), fullPage: true })
  }

  it("agrees with what they counted and with the metrics, says why a session ended and that it drains", async () => {
    const { close, complaints, page } = await open(browser, admin)
    await state(page, "Serving")
    assert.strictEqual(await figure(page, "#sessions i"), 0)

    // ---- under load
    const users = await run(
      Effect.forEach(Array.from({ length: CLIENTS }, (_, i) => i), (i) => login(i), { concurrency: 10 })
    )
    const pairs = users.flatMap((one, i) => i % 2 === 0 ? [[one, users[i + 1]!] as const] : [])
    const talks = run(Effect.forEach(pairs, ([one, other]) => talk(one, other), { concurrency: "unbounded" }))
    await page.locator("#sessions i", { hasText: /^100$/ }).first().waitFor()
    await eventually(
      async () => await figure(page, "#requests i") > 0 && await figure(page, "#requests i", 1) > 0,
      "messages per second"
    )
    const rate = await page.locator("#requests").textContent()
    await eventually(async () => await page.locator("#requests").textContent() !== rate, "the next snapshot")
    assert.match((await page.locator("#octets").textContent())!, /B\/s/)
    const text = await metrics()
    if (PROMTOOL !== undefined) {
      assert.deepStrictEqual(attemptPromtool(["check", "metrics"], text), { code: 0, output: "" })
    }
    await shot(page, "load")
    stopped.is = true
    await talks
    await eventually(() => sum(users, "received") === sum(users, "sent"), "the last messages")

    // ---- the metrics are what the clients have counted
    assert.isAbove(sum(users, "sent"), CLIENTS)
    const values = readPage(await metrics())
    const value = (series: string): number => valueOf(values, series)
    for (const direction of ["in", "out"]) {
      assert.strictEqual(value(`requests_total{direction="${direction}",method="SEND"}`), sum(users, "sent"))
      assert.strictEqual(value(`body_bytes_total{direction="${direction}"}`), sum(users, "octetsSent"))
      assert.strictEqual(
        value(`network_bytes_total{direction="${direction}"}`),
        octets[direction === "in" ? "written" : "got"]
      )
    }
    assert.strictEqual(sum(users, "octetsReceived"), sum(users, "octetsSent"))
    assert.strictEqual(value(`responses_total{direction="in",status="200"}`), sum(users, "sent"))
    assert.strictEqual(value("sessions"), CLIENTS)
    assert.strictEqual(value(`logins_total{result="granted"}`), CLIENTS)

    // ---- and so is the page
    await eventually(async () => await figure(page, "#requests i") === 0, "the end of the load on the page")
    const { samples } = await (await asked("/status")).json() as Status
    const shown = samples.time.reduce(
      (total, time, at) => at === 0 ? 0 : total + samples.messagesIn[at]! * (time - samples.time[at - 1]!) / 1000,
      0
    )
    assert.approximately(shown, sum(users, "sent"), sum(users, "sent") / 50)
    const top = () =>
      page.locator("#top tbody tr").evaluateAll((
        rows: ReadonlyArray<{ readonly children: ReadonlyArray<{ readonly textContent: string }> }>
      ) => rows.map(({ children }) => [0, 4, 5, 8].map((at) => children[at]!.textContent)))
    const expected = users
      .toSorted((a, b) => b.octetsSent + b.octetsReceived - a.octetsSent - a.octetsReceived)
      .map(({ name, received, sent }) => [name, whole.format(sent), whole.format(received), "0"])
    const busiest = new Map(expected.map((row) => [row[0], row]))
    await eventually(
      async () => (await top()).every((row) => row.join() === busiest.get(row[0])?.join()),
      "their own numbers among the busiest"
    )
    assert.lengthOf(await top(), 10)

    // ---- why a session ended
    const look = async (name: string, text: string | RegExp): Promise<void> => {
      await page.getByLabel("User", { exact: true }).fill(name)
      await page.keyboard.press("Enter")
      await page.locator("#person-title", { hasText: name }).waitFor()
      await page.locator("#person-history li", { hasText: text }).waitFor()
    }
    const { items } = await (await asked("/sessions?user=user3")).json() as { items: [{ session: string }] }
    assert.strictEqual((await asked(`/sessions/${items[0].session}`, "DELETE")).status, 200)
    await run(Effect.flip(login(4, "guessed")))
    await look("user3", /Session ended after .*: an operator ended it/)
    await page.locator("#person-summary", { hasText: "No live session." }).waitFor()
    await look("user4", "Could not log in: the password (or the user name) is wrong")
    await page.locator("#person-summary", { hasText: "1 live session." }).waitFor()
    await shot(page, "user")
    await page.locator("#trouble tr", { hasText: "Logins with a wrong password" }).getByText("1").first().waitFor()
    await page.locator("#sessions i", { hasText: /^99$/ }).first().waitFor()
    assert.strictEqual(valueOf(readPage(await metrics()), "sessions"), CLIENTS - 1)

    // ---- it drains
    assert.strictEqual((await asked("/drain", "POST")).status, 200)
    await state(page, "Draining")
    await page.locator("#notice", { hasText: "Draining: no new sessions; 99 still go on." }).waitFor()
    await shot(page, "draining")
    assert.deepStrictEqual(complaints, [])
    await close()
  })
})

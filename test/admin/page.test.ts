/** The status page in a real browser, against a server with a relay that is only told of. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { existsSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { bundlePage } from "../../src/admin/page/bundle.ts"
import { MAX_PAGES } from "../../src/admin/status/OpenPages.ts"
import * as StatusFeed from "../../src/admin/StatusFeed.ts"
import { hasBrowser, launch, open as openPage, state } from "../support/browser.ts"
import { FakeRelay, HOSTILE, partsOf, serveStatus } from "../support/status.ts"

/** Octets of the page at most: script and style are in it. */
const MAX_PAGE = 122_880

/** Milliseconds. */
const QUARTER = 900_000

/** Where screenshots are left, to be looked at. */
const SHOTS = process.env["MSRP_TEST_SHOTS"]

/** What the tests ask of it, in the browser. */
interface Element {
  readonly id: string
  readonly textContent: string | null
  readonly scrollWidth: number
  readonly clientWidth: number
  readonly hidden: boolean
  append(...children: ReadonlyArray<object>): void
}
declare const document: {
  readonly activeElement: Element | null
  readonly body: Element
  readonly documentElement: Element
  readonly querySelector: (selector: string) => Element | null
  readonly querySelectorAll: (selector: string) => ReadonlyArray<Element>
  readonly createElement: (name: string) => { textContent: string }
}
declare const getComputedStyle: (element: Element) => { readonly backgroundColor: string }

let folder: string
let bundle: URL
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "msrp-status-"))
  bundle = pathToFileURL(join(folder, "page.html"))
  await writeFile(bundle, await bundlePage())
})
afterAll(() => rm(folder, { recursive: true }))

interface StartOptions {
  readonly port?: number
  readonly token?: string
  readonly at?: string
  /** It has been there for 15 minutes, and no time passes any more. */
  readonly aged?: boolean
}

/** A server of its own scope, which can be ended and begun again at its port. */
const start = async (relay: FakeRelay, { aged = false, ...options }: StartOptions = {}) => {
  const scope = Scope.makeUnsafe()
  const feed = Effect.flatMap(partsOf(relay), StatusFeed.make)
  const agedFeed = Effect.gen(function*() {
    yield* TestClock.setTime(Date.now() - QUARTER)
    const made = yield* feed
    yield* TestClock.adjust(QUARTER)
    return made
  }).pipe(Effect.provide(TestClock.layer()))
  const served = Effect.flatMap(aged ? agedFeed : feed, (feed) => serveStatus(feed, { bundle, ...options }))
  const port = await Effect.runPromise(Scope.provide(served, scope))
  return { port, stop: () => Effect.runPromise(Scope.close(scope, Exit.void)) }
}

describe("the status page", () => {
  it("is one file that asks for nothing else, of at most 120 KB", async () => {
    const html = await bundlePage()
    assert.isAtMost(Buffer.byteLength(html), MAX_PAGE)
    assert.notMatch(html, /<(?:script|img|iframe|object)[^>]* src=|<link[^>]* href="(?!data:)|@import|url\(/)
    assert.match(html, /Leon Sorokin/, "the licence of what is in it")
  })
})

describe.skipIf(!hasBrowser)("the status page in a browser", { timeout: 60_000 }, () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser?.close())

  const open = (port: number, options: BrowserContextOptions = {}, hash = "") => openPage(browser, port, options, hash)

  const shot = async (page: Page, name: string) => {
    const path = join(SHOTS ?? folder, `${name}.png`)
    await page.screenshot({ path, fullPage: true })
    assert.isTrue(existsSync(path))
  }

  it("goes live, and its numbers change", async () => {
    const relay = new FakeRelay()
    const server = await start(relay)
    const { close, complaints, page } = await open(server.port)
    await state(page, "Serving")
    const before = await page.locator("#requests i").first().textContent()
    await page.waitForFunction(
      (before) => {
        const now = document.querySelector("#requests i")?.textContent
        return now !== before && now !== "–"
      },
      before
    )
    assert.match((await page.locator("#octets").textContent())!, /MB\/s/)
    assert.strictEqual(await page.locator("#top tbody tr").count(), 10)
    assert.strictEqual(await page.locator(".chart canvas").count(), 4)
    assert.match(
      (await page.locator("#certificates tr", { hasText: "old.relay.example" }).locator(".warn").textContent())!,
      /^9$/
    )
    assert.match(await page.title(), /sessions/)
    assert.deepStrictEqual(complaints, [])
    await close()
    await server.stop()
  })

  it.each(["relay", "relay/", "relay/#user=alice"])(
    "goes live at the path /%s that a proxy or a program gave it",
    async (path) => {
      const server = await start(new FakeRelay(), { at: "/relay" })
      const { close, complaints, page } = await open(server.port, {}, path)
      await state(page, "Serving")
      if (path.includes("#")) await page.locator("#person-summary", { hasText: "1 live session." }).waitFor()
      assert.deepStrictEqual(complaints, [])
      await close()
      await server.stop()
    }
  )

  it("says the reason that it is refused for, as the API gives it", async () => {
    const server = await start(new FakeRelay())
    const many: Array<Response> = []
    for (let each = 0; each < MAX_PAGES; each++) many.push(await fetch(`http://127.0.0.1:${server.port}/status/events`))
    const { close, page } = await open(server.port)
    await state(page, "The relay refuses this page")
    await page.locator("#notice:visible", { hasText: `There are ${MAX_PAGES} status pages open already` }).waitFor()
    for (const one of many) await one.body?.cancel()
    await close()
    await server.stop()
  })

  it("says since when the users cannot be looked up, or read, and why, until they can; and how many lines of the log were lost", async () => {
    const relay = new FakeRelay()
    relay.down = "nobody listens there"
    const server = await start(relay)
    const { close, complaints, page } = await open(server.port)
    await state(page, "Serving")
    const row = page.locator("#health > div", { hasText: "User look-up" })
    await row.locator("dd.bad", { hasText: /^down since .*: nobody listens there$/ }).waitFor()
    relay.down = undefined
    await row.locator("dd:not(.bad)", { hasText: /^3\.1 ms/ }).waitFor()
    relay.outdated = "it is wrong in line 3"
    const users = page.locator("#health > div", { has: page.getByText("Users", { exact: true }) })
    await users.locator("dd.bad", { hasText: /^not read since .*, those from before stay: it is wrong in line 3$/ })
      .waitFor()
    relay.outdated = undefined
    relay.unusable = ["none in file can log in: it has only users of other realms"]
    await users.locator("dd.bad", { hasText: /^none in file can log in: it has only users of other realms$/ }).waitFor()
    relay.unusable = []
    await users.waitFor({ state: "detached" })
    const log = page.locator("#health > div", { hasText: "Lost lines of the log" })
    assert.strictEqual(await log.count(), 0)
    relay.logLinesLost = 1234
    await log.locator("dd.warn", { hasText: /^1,234$/ }).waitFor()
    assert.deepStrictEqual(complaints, [])
    await close()
    await server.stop()
  })

  it("tells what happens, and of a user what happened to him", async () => {
    const relay = new FakeRelay()
    const server = await start(relay)
    const { close, complaints, page } = await open(server.port)
    await state(page, "Serving")
    await page.waitForFunction(() => document.querySelectorAll("#endings li").length === 20)
    relay.happens("login failed", {
      user: "mallory",
      remote: "192.0.2.7:5000",
      status: 401,
      reason: "wrong credentials"
    })
    relay.happens("request refused", { remote: "192.0.2.7:5000", status: 481 }, "Debug")
    await page.locator("#events", { hasText: "Could not log in: the password (or the user name) is wrong" }).waitFor()
    assert.strictEqual(await page.locator("#events li").count(), 1)

    await page.getByLabel("User", { exact: true }).fill("alice")
    await page.keyboard.press("Enter")
    await page.locator("#person-summary", { hasText: "1 live session." }).waitFor()
    assert.strictEqual(await page.evaluate(() => document.activeElement?.id), "person-title")
    const history = await page.locator("#person-history").textContent()
    assert.include(history, "Session ended after 29 min 55 s: the client accepted no data for too long")
    assert.include(history, "Could not log in: the password (or the user name) is wrong (3 times)")
    assert.include(history, "A message did not arrive: the other side did not confirm it in time")
    assert.include(history, "Could not connect to msrps://chat.example.net:2855: nobody listens there")

    await page.keyboard.press("Escape")
    await page.locator("#person").waitFor({ state: "hidden" })
    await page.getByLabel("User", { exact: true }).fill("nobody")
    await page.getByRole("button", { name: "Look up" }).click()
    await page.locator("#person-summary", { hasText: "Nothing is known of a user of this name" }).waitFor()
    assert.deepStrictEqual(complaints, [])
    await close()
    await server.stop()
  })

  it("tells once what happened while it began", async () => {
    const relay = new FakeRelay()
    const server = await start(relay)
    const { close, page } = await open(server.port)
    await state(page, "Serving")
    // The stream is open by then, and brings it as well.
    await page.route("**/status", (route) => {
      relay.happens("login granted", { user: "early", expires: 1800 })
      return route.continue()
    })
    await page.reload()
    await page.locator("#events", { hasText: "early" }).waitFor()
    relay.happens("login granted", { user: "late", expires: 1800 })
    await page.locator("#events", { hasText: "late" }).waitFor()
    assert.strictEqual(await page.locator("#events li", { hasText: "early" }).count(), 1)
    await close()
    await server.stop()
  })

  it("asks once for a user to whom much happens", async () => {
    const relay = new FakeRelay()
    const server = await start(relay)
    const { close, page } = await open(server.port, {}, "#user=alice")
    await page.locator("#person-summary", { hasText: "1 live session." }).waitFor()
    let asked = 0
    page.on("request", (request) => {
      if (request.url().includes("/status/users")) asked++
    })
    const again = page.waitForResponse(/\/status\/users/)
    for (let i = 0; i < 50; i++) relay.happens("login granted", { user: "alice", expires: 1800 + i })
    await page.waitForFunction(() => document.querySelectorAll("#events li").length === 30)
    await again
    // Once for all of them, and perhaps once since it is time.
    assert.isAtMost(asked, 2)
    await close()
    await server.stop()
  })

  it("shows a name as text, whatever it is", async () => {
    const server = await start(new FakeRelay())
    const { close, complaints, page } = await open(server.port, {}, `#user=${encodeURIComponent(HOSTILE)}`)
    await state(page, "Serving")
    await page.locator("#person-title", { hasText: HOSTILE }).waitFor()
    await page.locator("#top", { hasText: HOSTILE }).waitFor()
    await page.locator("#endings", { hasText: HOSTILE }).waitFor()
    await page.locator("#person-history li").first().waitFor()
    assert.strictEqual(await page.locator("img").count(), 0)
    assert.notStrictEqual(await page.title(), "taken")
    assert.deepStrictEqual(complaints, [])
    await close()
    await server.stop()
  })

  it("runs nothing that is not of the page", async () => {
    const server = await start(new FakeRelay())
    const { close, complaints, page } = await open(server.port)
    await state(page, "Serving")
    await page.evaluate(() => {
      const script = document.createElement("script")
      script.textContent = "document.title = 'taken'"
      document.body.append(script)
    })
    assert.notStrictEqual(await page.title(), "taken")
    assert.match(complaints.join(), /Content Security Policy/)
    await close()
    await server.stop()
  })

  it("says since when the connection is lost, and comes back; says that the relay drains", async () => {
    const relay = new FakeRelay()
    const first = await start(relay)
    const { close, page } = await open(first.port)
    await state(page, "Serving")
    relay.phase = "draining"
    await state(page, "Draining")
    await page.locator("#notice", { hasText: "Draining: no new sessions" }).waitFor()
    await shot(page, "draining")
    await first.stop()
    await state(page, /Connection lost since \d\d:\d\d:\d\d/)
    assert.match((await page.locator("main").getAttribute("class"))!, /stale/)
    await shot(page, "lost")
    relay.phase = "serving"
    const second = await start(relay, { port: first.port })
    await state(page, "Serving")
    assert.strictEqual(await page.locator("main.stale").count(), 0)
    await page.waitForFunction(() => document.querySelector("#notice")?.hidden)
    await close()
    await second.stop()
  })

  it("says above everything else what keeps clients out: a limit, users that cannot be looked up, a certificate that has ended", async () => {
    const relay = new FakeRelay()
    relay.notReady = ["there are 3 sessions, which is the limit", "turns come 120 ms late"]
    relay.down = "nobody listens there"
    const server = await start(relay)
    const { close, page } = await open(server.port)
    const notice = page.locator("#notice:visible")
    await notice.filter({
      hasText:
        /^Not ready for new clients: there are 3 sessions, which is the limit; turns come 120 ms late\. Users cannot be looked up since .*: logins fail\.$/
    }).waitFor()
    await shot(page, "not-ready")
    relay.notReady = []
    relay.down = undefined
    relay.expired = true
    await notice.filter({ hasText: /^A certificate has ended: clients refuse it\.$/ }).waitFor()
    relay.expired = false
    await page.waitForFunction(() => document.querySelector("#notice")?.hidden)
    await close()
    await server.stop()
  })

  it("asks for the token, says that one is wrong, and keeps the right one", async () => {
    const server = await start(new FakeRelay(), { token: "a-token-of-sixteen" })
    const { close, page } = await open(server.port)
    const field = page.getByLabel("Token", { exact: true })
    await shot(page, "token")
    await field.fill("another")
    await page.keyboard.press("Enter")
    await page.getByRole("alert").getByText("does not take this token").waitFor()
    await field.fill("a-token-of-sixteen")
    await page.keyboard.press("Enter")
    await state(page, "Serving")
    await page.locator("#token").waitFor({ state: "hidden" })
    await page.reload()
    await state(page, "Serving")
    assert.isFalse((await page.content()).includes("a-token-of-sixteen"))
    await close()
    await server.stop()
  })

  it("has its places and names for who does not see it, and fits a narrow screen", async () => {
    const server = await start(new FakeRelay())
    const { close, complaints, page } = await open(
      server.port,
      { viewport: { width: 390, height: 844 } },
      "#user=alice"
    )
    await state(page, "Serving")
    await page.locator("#person-history li").first().waitFor()
    for (const role of ["banner", "main", "search"] as const) assert.strictEqual(await page.getByRole(role).count(), 1)
    assert.strictEqual(await page.getByRole("status").count(), 1)
    assert.isAbove(await page.getByRole("columnheader", { name: "Failures" }).count(), 0)
    assert.isAbove(await page.getByRole("rowheader", { name: "alice", exact: true }).count(), 0)
    assert.strictEqual(await page.locator("[aria-live]").count(), 0, "nothing but the state is read out by itself")
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    assert.strictEqual(wide, 0)
    assert.deepStrictEqual(complaints, [])
    await close()
    await server.stop()
  })

  it("has nothing over something else in its head, whatever the width, and what it says in as few lines as may be", async () => {
    const server = await start(new FakeRelay())
    const { close, page } = await open(server.port)
    await state(page, "Serving")
    await page.locator("#facts dd").first().waitFor()
    for (const width of [360, 768, 1000, 1180, 1181, 1440]) {
      await page.setViewportSize({ width, height: 800 })
      const boxes = await Promise.all([".title", "#facts", "#search"].map((part) => page.locator(part).boundingBox()))
      for (const [i, one] of boxes.entries()) {
        for (const other of boxes.slice(i + 1)) {
          const apart = one!.x + one!.width <= other!.x || other!.x + other!.width <= one!.x ||
            one!.y + one!.height <= other!.y || other!.y + other!.height <= one!.y
          assert.isTrue(apart, `${width} px`)
        }
      }
      // Below the title where there is no room beside it.
      const [title, facts] = boxes
      assert.strictEqual(facts!.y >= title!.y + title!.height, width <= 1180, `${width} px`)
      const names = await page.locator("#facts dt").all()
      const heights = await Promise.all(names.map(async (name) => (await name.boundingBox())!.height))
      assert.isBelow(Math.max(...heights), 30, `${width} px: a name in one line`)
      assert.strictEqual(
        await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
        0
      )
    }
    await close()
    await server.stop()
  })

  it("looks as the system wants it: light, dark, narrow", async () => {
    const relay = new FakeRelay()
    const server = await start(relay, { aged: true })
    const grace = { user: "grace", remote: "198.51.100.7:40078", session: "1a2b3c4e17d1" }
    relay.happens("login granted", { ...grace, expires: 1800 })
    relay.happens("peer bound", { ...grace, peer: "203.0.113.7:2855" })
    relay.happens("message not delivered", { ...grace, status: 408, reason: "its receiver takes nothing" })
    const grounds = new Set<string>()
    for (
      const [name, options, hash] of [
        ["light", { colorScheme: "light" }, ""],
        ["dark", { colorScheme: "dark", reducedMotion: "reduce" }, ""],
        ["user", { colorScheme: "light" }, "#user=alice"],
        ["narrow", { colorScheme: "dark", viewport: { width: 390, height: 844 } }, ""]
      ] as const
    ) {
      const { close, page } = await open(server.port, options, hash)
      await state(page, "Serving")
      if (hash !== "") await page.locator("#person-history li").nth(1).waitFor()
      await shot(page, name)
      grounds.add(await page.evaluate(() => getComputedStyle(document.body).backgroundColor))
      await close()
    }
    assert.strictEqual(grounds.size, 2)
    await server.stop()
  })
})

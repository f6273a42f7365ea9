/** The demo page of the real service in a real browser: what somebody does with it who has just started the relay. */
import { createHash, randomBytes } from "node:crypto"
import { createReadStream } from "node:fs"
import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Browser, BrowserContext, Page } from "playwright-core"
import { afterAll, afterEach, assert, beforeAll, describe, it } from "vitest"
import { BUNDLE } from "../../src/demo/DemoPage.ts"
import { bundlePage } from "../../src/demo/page/bundle.ts"
import { hasBrowser, launch } from "../support/browser.ts"
import { ended, eventually, freePort, output, start, type Started } from "../support/service.ts"

/** Where screenshots are left, to be looked at. */
const SHOTS = process.env["MSRP_TEST_SHOTS"]

/** Octets of the page: the client is in it. */
const MAX_PAGE = 184_320

const MIB = 1_048_576
/** What nobody is waiting for to the end. */
const LONG = 512 * MIB

const sha256 = async (path: string): Promise<string> => {
  const hash = createHash("sha256")
  for await (const octets of createReadStream(path)) hash.update(octets as Buffer)
  return hash.digest("hex")
}

/** What the tests ask in the browser. */
declare const document: {
  readonly title: string
  readonly activeElement: { readonly id: string; readonly tagName: string } | null
  readonly documentElement: { readonly scrollWidth: number; readonly clientWidth: number }
  readonly querySelector: (selector: string) => { readonly value: number; readonly max: number } | null
}
declare const location: { readonly href: string }
declare const history: { readonly length: number }

interface Demo extends Started {
  readonly ws: number
  /** As the relay prints it. */
  readonly link: string
}

/** The service with a page on free ports, and nothing else configured unless it is said. */
const demo = async (
  ports: { readonly port?: number; readonly ws?: number } = {},
  env: Readonly<Record<string, string>> = {}
): Promise<Demo> => {
  const { port = await freePort(), ws = await freePort() } = ports
  const started = await start({
    port,
    env: {
      MSRP_URIS: "",
      MSRP_USERS: "",
      MSRP_LISTEN: `msrp:127.0.0.1:${port},ws:127.0.0.1:${ws}`,
      MSRP_DEMO: "on",
      ...env
    }
  })
  const log = output(started.child)
  const found = (): string | undefined => / page="?(http[^\s"]+)/.exec(log.text)?.[1]
  await eventually(() => found() !== undefined, "the link")
  return { ...started, ws, link: found()! }
}

const connected = (page: Page): Promise<void> => page.locator("#state", { hasText: "Connected" }).waitFor()
const message = (page: Page) => page.locator(".conversation:not([hidden]) textarea")
const heard = (page: Page, text: string | RegExp): Promise<void> =>
  page.locator(".conversation:not([hidden]) .theirs .bubble", { hasText: text }).waitFor()
const told = (page: Page, text: string | RegExp): Promise<void> =>
  page.locator(".conversation:not([hidden]) .own", { hasText: text }).last().waitFor()

const say = async (page: Page, text: string): Promise<void> => {
  await message(page).fill(text)
  await message(page).press("Enter")
}

const attach = async (page: Page, path: string): Promise<void> => {
  const chooser = page.waitForEvent("filechooser")
  await page.locator(".conversation:not([hidden])").getByRole("button", { name: "Send files" }).click()
  await (await chooser).setFiles(path)
}

/** It is on its way, and not there. */
const underWay = (page: Page): Promise<unknown> =>
  page.waitForFunction(() => {
    const bar = document.querySelector(".conversation:not([hidden]) li:last-child progress")
    return bar !== null && bar.value > 0 && bar.value < bar.max
  })

describe.skipIf(!hasBrowser)("the demo page", { timeout: 180_000 }, () => {
  let folder: string
  let browser: Browser
  let context: BrowserContext
  const started: Array<Started> = []
  const complaints: Array<string> = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "msrp-demo-"))
    // What the service has is what is here, whether or not it was built since.
    await mkdir(new URL(".", BUNDLE), { recursive: true })
    await writeFile(BUNDLE, await bundlePage())
    browser = await launch()
  }, 120_000)
  afterEach(async () => {
    for (const { child } of started.splice(0)) child.kill("SIGKILL")
    await context.close()
    assert.deepStrictEqual(complaints.splice(0), [])
  })
  afterAll(async () => {
    await browser?.close()
    await rm(folder, { recursive: true })
  })

  const serve = async (...how: Parameters<typeof demo>): Promise<Demo> => {
    const service = await demo(...how)
    started.push(service)
    return service
  }

  /** A browser that complains to the test. `isExpected`: what it may complain of. */
  const browse = async (ws: number, isExpected: (text: string) => boolean = () => false): Promise<void> => {
    context = await browser.newContext({ viewport: { width: 1180, height: 760 }, reducedMotion: "reduce" })
    context.on("page", (page) => {
      page.on("console", (line) => {
        if (!isExpected(line.text())) complaints.push(line.text())
      })
      page.on("pageerror", (error) => complaints.push(String(error)))
      page.on("request", (request) => {
        if (!new RegExp(`^(?:http://(?:localhost|127\\.0\\.0\\.1):${ws}/|blob:)`).test(request.url())) {
          complaints.push(`asked for ${request.url()}`)
        }
      })
    })
  }

  /** Opens the link, and another tab by the button. */
  const pair = async (link: string): Promise<readonly [Page, Page]> => {
    const page = await context.newPage()
    await page.goto(link)
    await connected(page)
    const opened = context.waitForEvent("page")
    await page.getByRole("button", { name: "Open a second tab" }).click()
    const other = await opened
    await connected(other)
    for (const one of [page, other]) {
      await one.getByRole("button", { name: "Send", exact: true }).and(one.locator(":enabled")).waitFor()
    }
    return [page, other]
  }

  const shot = async (page: Page, name: string): Promise<void> => {
    if (SHOTS !== undefined) await page.screenshot({ path: join(SHOTS, `demo-${name}.png`) })
  }

  it("logs in by the link, of which nothing stays in the address, and two tabs chat and send a file", async () => {
    const { link, ws } = await serve()
    await browse(ws)
    const [page, other] = await pair(link)
    assert.match(link, /#user=demo&password=/)
    for (const one of [page, other]) {
      assert.strictEqual(await one.evaluate(() => location.href), new URL("/", link).href)
    }
    assert.strictEqual(await other.evaluate(() => history.length), 1)

    await page.getByLabel("You are").fill("Alice")
    await page.keyboard.press("Enter")
    await other.getByLabel("You are").fill("Bob")
    await other.keyboard.press("Enter")
    await page.getByRole("heading", { name: "Bob" }).waitFor()
    await other.getByRole("heading", { name: "Alice" }).waitFor()

    await say(page, "Hello Bob! Does this go through the relay?")
    await heard(other, "Hello Bob!")
    await told(page, /delivered in [\d,.]+ m?s/)
    await message(other).fill("It does,")
    await message(other).press("Shift+Enter")
    await message(other).pressSequentially("in both directions.")
    await message(other).press("Enter")
    await heard(page, /It does,\nin both directions\./)
    await told(other, /delivered in [\d,.]+ m?s/)
    assert.strictEqual(await message(other).inputValue(), "")

    const path = join(folder, "holiday photos.zip")
    await writeFile(path, randomBytes(20 * MIB))
    await Promise.all([underWay(page), underWay(other), attach(page, path)])
    await told(page, /sent · .*delivered in/)
    const downloads = other.waitForEvent("download")
    await other.getByRole("link", { name: "Download holiday photos.zip" }).click()
    const download = await downloads
    assert.strictEqual(download.suggestedFilename(), "holiday photos.zip")
    assert.strictEqual(await sha256(await download.path()), await sha256(path))
    const shown = await other.locator(".theirs .row").last().textContent()
    console.info(`20 MiB: ${shown}`)

    await say(page, "Have a look at the photos.")
    await heard(other, "Have a look")
    await say(other, "Lovely, thank you!")
    await told(other, /Lovely.*delivered in/)
    await shot(other, "light")
    await other.emulateMedia({ colorScheme: "dark" })
    await shot(other, "dark")
    await other.setViewportSize({ width: 390, height: 780 })
    await shot(other, "narrow")
    assert.isTrue(
      await other.evaluate(() => {
        const { clientWidth, scrollWidth } = document.documentElement
        return scrollWidth <= clientWidth
      })
    )
    // A telephone on its side, and a page that is drawn four times as large: what does not fit is scrolled to.
    await other.setViewportSize({ width: 320, height: 256 })
    const button = await other.getByRole("button", { name: "Send", exact: true }).boundingBox()
    const panel = await other.locator(".conversation:not([hidden])").boundingBox()
    assert.isAtMost(button!.y + button!.height, panel!.y + panel!.height)
    assert.isAbove((await other.locator(".conversation:not([hidden]) .log").boundingBox())!.height, 40)
  })

  it("a file is stopped by its sender, and refused by its receiver; what is pasted and dropped is sent", async () => {
    const { link, ws } = await serve()
    await browse(ws)
    const [page, other] = await pair(link)
    const path = join(folder, "long")
    await writeFile(path, "")
    await truncate(path, LONG)

    await Promise.all([underWay(page), underWay(other), attach(page, path)])
    await shot(other, "progress")
    await page.getByRole("progressbar", { name: "Sending long" }).waitFor()
    await page.getByRole("button", { name: "Stop long" }).click()
    await told(page, "stopped")
    await other.locator(".theirs .file", { hasText: "stopped by its sender" }).waitFor()

    await Promise.all([underWay(other), attach(page, path)])
    await other.getByRole("progressbar", { name: "Receiving long" }).last().waitFor()
    await other.getByRole("button", { name: "Refuse long" }).click()
    await other.locator(".theirs .file", { hasText: "you have refused it" }).waitFor()
    await told(page, "refused by the other tab")

    for (const type of ["paste", "drop"]) {
      await page.locator(".conversation").evaluate((element: unknown, type) => {
        const made = globalThis as unknown as Record<string, new(...args: ReadonlyArray<unknown>) => object>
        const data = new made["DataTransfer"]!() as { items: { add: (file: object) => void } }
        data.items.add(new made["File"]!([`${type}ed`], `${type}.txt`, { type: "text/html" }))
        const Event = made[type === "paste" ? "ClipboardEvent" : "DragEvent"]!
        const event = new Event(type, { clipboardData: data, dataTransfer: data, bubbles: true, cancelable: true })
        ;(element as { dispatchEvent: (event: object) => void }).dispatchEvent(event)
      }, type)
      const link = other.getByRole("link", { name: `Download ${type}.txt` })
      await link.waitFor()
      // It is no page of this origin, whatever its sender says.
      const kind = await link.evaluate(async (element: unknown) => {
        const response = await fetch((element as { readonly href: string }).href).catch(() => undefined)
        return response?.headers.get("content-type") ?? "may not even be fetched"
      })
      assert.oneOf(kind, ["application/octet-stream", "may not even be fetched"])
    }
    // The policy of the page lets it fetch no blob.
    for (const text of complaints.splice(0)) {
      assert.match(text, /blob:.*Content Security Policy|Fetch API cannot load blob:/)
    }
    await say(page, "Still here")
    await heard(other, "Still here")
  })

  it("tells that user or password is wrong, and lets in who has the right ones; a new link logs in anew", async () => {
    const { link, ws } = await serve()
    await browse(ws)
    const page = await context.newPage()
    await page.goto(link.replace(/password=.*/, "password=guessed"))
    await page.getByRole("alert").filter({ hasText: "does not accept this user name and password" }).waitFor()
    assert.strictEqual(await page.evaluate(() => location.href), new URL("/", link).href)
    assert.strictEqual(await page.evaluate(() => document.activeElement?.id), "password")
    await shot(page, "login")
    await page.reload()
    assert.strictEqual(await page.getByLabel("User").inputValue(), "")
    await page.getByLabel("User").fill("demo")
    await page.getByLabel("Password").fill(new URLSearchParams(new URL(link).hash.slice(1)).get("password")!)
    await page.keyboard.press("Enter")
    await connected(page)
    await page.reload()
    await connected(page)
    await page.getByRole("button", { name: "Log out" }).click()
    await page.getByRole("heading", { name: "Log in" }).waitFor()
    await page.reload()
    await page.getByRole("heading", { name: "Log in" }).waitFor()
    await page.goto(link)
    await connected(page)
    assert.strictEqual(await page.evaluate(() => location.href), new URL("/", link).href)
  })

  it("is there again when the relay is, and asks for the password when that is another one", async () => {
    const users = { MSRP_USERS: "alice:wonderland" }
    const first = await serve({}, users)
    assert.strictEqual(first.link, `http://localhost:${first.ws}/`)
    await browse(first.ws, (text) => /WebSocket connection to .*failed/.test(text))
    const [page, other] = await pair(`${first.link}#user=alice&password=wonderland`)
    await say(page, "Before")
    await heard(other, "Before")

    first.child.kill("SIGKILL")
    await ended(first.child)
    for (const one of [page, other]) {
      await one.locator("#state", { hasText: "Connection lost" }).waitFor()
      await one.locator("#countdown", { hasText: /Next try in \d+ s/ }).waitFor()
      await one.getByRole("button", { name: "Send", exact: true }).and(one.locator(":disabled")).waitFor()
      await one.getByText("Your connection to the relay is lost.").waitFor()
    }
    await shot(page, "lost")
    const second = await serve(first, users)
    for (const one of [page, other]) {
      await connected(one)
      await one.getByRole("button", { name: "Send", exact: true }).and(one.locator(":enabled")).waitFor()
    }
    assert.isTrue(await page.locator("#countdown").isHidden())
    await say(other, "And after")
    await heard(page, "And after")
    await told(other, /And after.*delivered in/)

    second.child.kill("SIGKILL")
    await ended(second.child)
    await serve(first, { MSRP_USERS: "alice:underland" })
    for (const one of [page, other]) {
      await one.getByRole("alert").filter({ hasText: "does not accept this user name and password" }).waitFor()
    }
  })

  it("has a list of the tabs, with what is unread and who has left, and shows text as text", async () => {
    const { link, ws } = await serve()
    await browse(ws)
    const [page, other] = await pair(link)
    const third = await context.newPage()
    await third.goto(link)
    await connected(third)
    await third.getByLabel("You are").fill(`<img src=x onerror="document.title='taken'">`)
    await third.keyboard.press("Enter")
    const list = page.getByRole("navigation", { name: "Who is here" }).getByRole("button")
    await list.nth(1).waitFor()
    assert.strictEqual(await list.count(), 2)
    const item = list.filter({ hasText: "<img src=x onerror=\"document.title='tak" })
    await item.waitFor()

    // The names that tabs take at first are random, so two may be the same.
    await page.getByLabel("You are").fill("The first tab")
    await page.keyboard.press("Enter")
    await third.getByRole("navigation").getByRole("button", { name: "The first tab", exact: true }).click()
    await say(third, "<script>document.title='taken'</script>")
    await told(third, "delivered in")
    await item.filter({ hasText: "1" }).waitFor()
    await page.waitForFunction(() => document.title === "(1) MSRP demo")
    await item.click()
    assert.strictEqual(await page.evaluate(() => document.activeElement?.tagName), "TEXTAREA")
    await page.getByRole("log").filter({ hasText: "<script>document.title='taken'</script>" }).waitFor()
    assert.strictEqual(await page.title(), "MSRP demo")

    await third.close()
    await page.getByRole("button", { name: /, has left$/ }).waitFor()
    await page.getByText("The other tab was closed.").locator("visible=true").waitFor()
    // Nothing was said with that one, so it is gone; loaded anew it is another one with the same name.
    const name = await other.getByLabel("You are").inputValue()
    await other.reload()
    await connected(other)
    assert.strictEqual(await other.getByLabel("You are").inputValue(), name)
    await page.getByRole("button", { name, exact: true }).click()
    await say(page, "Again")
    await heard(other, "Again")
  })

  it("lays a conversation out for each frame, not for each message, and shows the last ones of a flood", async () => {
    const { link, ws } = await serve()
    await browse(ws)
    const [page, other] = await pair(link)
    const looks = await page.locator(".conversation").evaluate((element: unknown) => {
      const conversation = element as { readonly querySelector: (selector: string) => object }
      const log = conversation.querySelector(".log")
      const text = conversation.querySelector("textarea") as { value: string }
      const form = conversation.querySelector("form") as { readonly requestSubmit: () => void }
      const { prototype } = (globalThis as unknown as { readonly Element: { readonly prototype: object } }).Element
      let looks = 0
      Object.defineProperty(log, "scrollHeight", {
        get: (): unknown => {
          looks++
          return Reflect.get(prototype, "scrollHeight", log)
        }
      })
      for (let i = 1; i <= 400; i++) {
        text.value = `number ${i}`
        form.requestSubmit()
      }
      return looks
    })
    assert.strictEqual(looks, 0)
    for (const one of [page, other]) {
      const last = one.locator(".conversation:not([hidden]) .entry", { hasText: "number 400" })
      await last.waitFor()
      await one.locator(".conversation:not([hidden]) .entry").nth(299).waitFor()
      const texts = await one.locator(".conversation:not([hidden]) .bubble").allTextContents()
      assert.deepStrictEqual(texts, Array.from({ length: 300 }, (_, i) => `number ${i + 101}`))
      await one.bringToFront()
      assert.isTrue(
        await last.evaluate((element: unknown) => {
          const entry = element as { getBoundingClientRect: () => { bottom: number }; parentElement: typeof entry }
          return entry.getBoundingClientRect().bottom <= entry.parentElement.getBoundingClientRect().bottom
        })
      )
    }
  })

  it("is of a size that is loaded at once", async () => {
    await browse(0)
    assert.isBelow((await bundlePage()).length, MAX_PAGE)
  })
})

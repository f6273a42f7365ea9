/** The page of the API's description in a real browser, at the service. */
import type { Browser } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { hasBrowser, launch, open } from "../support/browser.ts"
import { ended, freePort, start, type Started } from "../support/service.ts"

/** What the tests ask of the page, in the browser. */
declare const document: {
  readonly documentElement: { readonly scrollWidth: number; readonly clientWidth: number }
}

describe.skipIf(!hasBrowser)("the page of the API", { timeout: 180_000 }, () => {
  let browser: Browser
  let service: Started
  let admin: number
  beforeAll(async () => {
    browser = await launch()
    admin = await freePort()
    service = await start({ stdout: "ignore", env: { MSRP_ADMIN: `127.0.0.1:${admin}` } })
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    service?.child.kill("SIGKILL")
    if (service !== undefined) await ended(service.child)
  })

  it("has its list beside what it lists, or none, on narrow screens and wide ones", async () => {
    const { close, page } = await open(browser, admin, {}, "docs")
    const heading = page.locator(".references-rendered h1")
    const list = page.locator(".t-doc__sidebar")
    await heading.waitFor({ state: "visible" })
    for (const width of [1440, 1001, 1000, 999, 768, 360]) {
      await page.setViewportSize({ width, height: 800 })
      const beside = width >= 1000
      await list.waitFor({ state: beside ? "visible" : "hidden" })
      const [at, side] = [await heading.boundingBox(), beside ? await list.boundingBox() : undefined]
      assert.isAtLeast(at!.x, side === undefined ? 0 : side!.x + side!.width, `${width} px`)
      const over = await page.evaluate(() =>
        document.documentElement.scrollWidth - document.documentElement.clientWidth
      )
      assert.strictEqual(over, 0, `${width} px`)
    }
    await close()
  })
})

/** A real browser for the status page, where the machine has one. */
import { existsSync } from "node:fs"
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core"

const CHROMIUM = "/usr/bin/chromium"
export const hasBrowser = existsSync(CHROMIUM)
if (!hasBrowser) {
  console.warn(`The status page is not tested in a browser: there is no ${CHROMIUM} (apt-get install chromium)`)
}

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync"
    ]
  })

export interface Opened {
  readonly page: Page
  /** What the browser complains of, and requests to elsewhere. */
  readonly complaints: ReadonlyArray<string>
  readonly close: () => Promise<void>
}

/** Opens the status page at this port of loopback. */
export const open = async (
  browser: Browser,
  port: number,
  options: BrowserContextOptions = {},
  hash = ""
): Promise<Opened> => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, ...options })
  const page = await context.newPage()
  const complaints: Array<string> = []
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text())
  })
  page.on("pageerror", (error) => complaints.push(String(error)))
  page.on("request", (request) => {
    if (!/^(data:|http:\/\/127\.0\.0\.1:)/.test(request.url())) complaints.push(`asked for ${request.url()}`)
  })
  await page.goto(`http://127.0.0.1:${port}/${hash}`)
  return { page, complaints, close: () => context.close() }
}

/** Waits for what the page says that the relay does. */
export const state = (page: Page, text: string | RegExp): Promise<void> =>
  page.locator("#state", { hasText: text }).waitFor({ state: "visible" })

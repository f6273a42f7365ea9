/**
 * The documents as a site that can be searched: `npm run docs:site` makes it in docs/.vitepress/dist. Pages are the files as they
 * are, in the folders where they are, so that their links hold on the site as they do in the repository.
 */
import { defineConfig } from "vitepress"

const REPOSITORY = "https://github.com/msrp-relay/msrp-relay"

/** Two who write to each other, by way of a third. */
const ICON =
  "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32' fill='#3451b2' stroke='#3451b2' stroke-width='3'>" +
  "<path d='M6 24 16 8l10 16' fill='none'/><circle cx='6' cy='24' r='4'/><circle cx='26' cy='24' r='4'/>" +
  "<circle cx='16' cy='8' r='5'/></svg>"

/** Files outside docs/ that are pages too. */
const others = ["README", "CHANGELOG", "SECURITY"]

/** The anchor of a heading, as GitHub makes it: links in the documents are held against these. */
export const anchorOf = (heading: string): string =>
  heading.toLowerCase().replaceAll(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-")

/** Where a link leads on the site: to the page of a file, or to the repository for what is no page. */
const hrefOf = (href: string, from: string): string => {
  if (/^(?:[a-z]+:|#)/.test(href)) return href
  const [path = "", anchor] = href.split("#")
  const target = new URL(path, `file:///${from}`).pathname.slice(1)
  const isPage = /^docs\/.+\.md$/.test(target) || others.some((name) => target === `${name}.md`)
  if (!isPage) return `${REPOSITORY}/tree/main/${target}`
  return path.replace(/(^|\/)README\.md$/, "$1index.md") + (anchor === undefined ? "" : `#${anchor}`)
}

const page = (text: string, name: string) => ({ text, link: `/docs/${name}` })

export default defineConfig({
  title: "msrp-relay",
  description: "A relay for MSRP (RFC 4976): its documents",
  lang: "en",
  srcDir: "..",
  srcExclude: [
    "**/node_modules/**",
    "docs/api/**",
    "{src,test,bench,dist,examples}/**",
    "AGENTS.md",
    "CONTRIBUTING.md"
  ],
  rewrites: (path) => path.replace(/(^|\/)README\.md$/, "$1index.md"),
  outDir: "./.vitepress/dist",
  cacheDir: "../node_modules/.cache/vitepress",
  // Nothing is asked of anybody else: no fonts, no counting.
  head: [["link", { rel: "icon", href: `data:image/svg+xml,${encodeURIComponent(ICON)}` }]],
  // Of a relay on the reader's own machine.
  ignoreDeadLinks: "localhostLinks",
  // The index of all words is one file, which is asked for when somebody searches.
  vite: { build: { chunkSizeWarningLimit: 10_000 } },
  markdown: {
    anchor: { slugify: anchorOf },
    languageAlias: { sdp: "ini" },
    config: (markdown) => {
      markdown.core.ruler.push("links", ({ env, tokens }) => {
        const { relativePath } = env as { readonly relativePath: string }
        for (const block of tokens) {
          // Images of HTML, which Markdown has no words for, are files beside the page as those of Markdown are.
          if (block.type === "html_block") {
            block.content = block.content.replaceAll(/\b(src|srcset)="(?![a-z]+:|[./])/g, "$1=\"./")
          }
          for (const token of block.children ?? []) {
            if (token.type === "link_open") token.attrSet("href", hrefOf(token.attrGet("href") ?? "", relativePath))
          }
        }
      })
    }
  },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    nav: [
      { text: "Start", link: "/" },
      { text: "Documents", link: "/docs/" },
      { text: "Settings", link: "/docs/configuration" },
      { text: "Changes", link: "/CHANGELOG" }
    ],
    socialLinks: [{ icon: "github", link: REPOSITORY }],
    sidebar: [
      {
        text: "Start",
        items: [
          { text: "Quick start", link: "/" },
          { text: "All pages by question", link: "/docs/" },
          page("The demo page", "demo"),
          page("Installation", "install"),
          page("Settings", "configuration"),
          page("Users", "credentials"),
          page("TLS and renewal", "tls")
        ]
      },
      {
        text: "Move",
        items: [
          page("From OpenSIPS", "from-opensips"),
          page("From AG MSRPRelay", "from-ag-msrprelay"),
          page("Upgrading", "upgrading")
        ]
      },
      {
        text: "Integrate",
        items: [
          page("SIP servers, WebRTC", "sip-servers"),
          page("Clients and other relays", "clients"),
          page("NAT and load balancers", "nat"),
          page("WebSocket and browsers", "websocket"),
          page("Several domains", "domains"),
          page("Several relays", "farm"),
          page("Sizing", "sizing")
        ]
      },
      {
        text: "Run it",
        items: [
          page("Check, systemd, descriptors", "operations"),
          page("Troubleshooting", "troubleshooting"),
          page("The log", "log"),
          page("Admin API and status page", "admin"),
          page("Trace", "trace"),
          page("Metrics", "metrics"),
          page("Reload", "reload"),
          page("Drain and restart", "drain")
        ]
      },
      {
        text: "Security, standards, library",
        items: [
          page("Security", "security"),
          { text: "Report a vulnerability", link: "/SECURITY" },
          page("Performance", "performance"),
          page("Client for programs", "client"),
          page("Client for browsers", "browser"),
          page("Tests with the library", "testing"),
          page("Architecture", "architecture"),
          page("Conformance", "conformance"),
          { text: "Changes", link: "/CHANGELOG" }
        ]
      }
    ]
  }
})

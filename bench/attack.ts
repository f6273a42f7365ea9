/**
 * An attacker of the flood benchmark, with its own process and address. It starts with the first message of its parent, and ends
 * with the second.
 */
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { type Account, authorization, headerValues } from "./digest.ts"
import { type Faults, noFaults } from "./input.ts"
import { Link, type Target } from "./link.ts"

export type Attack = "silence" | "guesses" | "dials" | "hops" | "trickle" | "storm" | "paths" | "garbage"

export interface AttackJob {
  readonly attack: Attack
  readonly target: Target
  /** For `trickle` and `storm`: the relay behind `target`, whose users' passwords are guessed. */
  readonly second: Target | undefined
  /** For `guesses`, the account whose password is guessed; otherwise, the account of the attacker. */
  readonly account: Account
  /** The duration of the attack. */
  readonly seconds: number
}

/** The source address of each attack: guesses are slowed down by address, so attacks do not share one. */
const addresses: Readonly<Record<Exclude<Attack, "garbage">, string>> = {
  silence: "127.0.0.2",
  guesses: "127.0.0.3",
  dials: "127.0.0.4",
  hops: "127.0.0.5",
  trickle: "127.0.0.6",
  storm: "127.0.0.6",
  paths: "127.0.0.7"
}

const CONNECTIONS = 5000
const GUESSES_PER_SECOND = 200
const DIALS = 1000
/** Hosts that accept a connection and never finish its TLS handshake. */
const PITS = 64
const HOPS_PER_SECOND = 1000
const TRICKLE = 18
const STORM_PER_SECOND = 500
/** Connections of the attacker. */
const STORM_LINKS = 8
/** Users whose passwords are guessed: their late answers are more than the relay decides at a time. */
const STORM_USERS = 100
const PATH_LINKS = 6
const PATHS_AT_ONCE = 16
const GARBAGE = 20_000
const GARBAGE_AT_ONCE = 100
const GARBAGE_ADDRESSES = 200

const running = { stop: false }
const sockets = new Set<Socket>()

/** Counts answers. */
class Tally {
  private readonly counts = new Map<string, number>()
  add(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
  }
  text(): string {
    return [...this.counts].map(([what, count]) => `${count} × ${what}`).join(", ") || "none"
  }
}

/** A short message; its identifiers begin with `name`. */
const hi = (name: string, toPath: string, fromPath: string): string =>
  `MSRP ${name}x SEND\r\nTo-Path: ${toPath}\r\nFrom-Path: ${fromPath}\r\nMessage-ID: ${name}\r\n` +
  `Byte-Range: 1-2/2\r\nContent-Type: text/plain\r\n\r\nhi\r\n-------${name}x$\r\n`

/** Acts at a constant rate until the end; returns how often it has acted. */
const steadily = async (perSecond: number, act: (n: number) => void): Promise<number> => {
  const start = performance.now()
  let n = 0
  while (!running.stop) {
    // What was missed on a busy machine is not made up for.
    const due = Math.min((performance.now() - start) * perSecond / 1000, n + perSecond / 10)
    while (n < due) act(n++)
    await sleep(20)
  }
  return n
}

/** Opens connections that send nothing; replaces those that are closed. */
const silence = async ({ target }: AttackJob): Promise<string> => {
  let opened = 0
  while (!running.stop) {
    for (let i = 0; i < 20 && sockets.size < CONNECTIONS; i++) {
      const socket = connect({ host: target.host, port: target.port, localAddress: addresses.silence })
      sockets.add(socket)
      opened++
      socket.on("error", () => {}).on("close", () => sockets.delete(socket)).on("data", () => {})
    }
    await sleep(5)
  }
  return `${opened} connections opened, ${sockets.size} open at the end`
}

/** Sends AUTHs for one user, each with another password and on another connection. */
const guesses = async ({ account: { user }, target }: AttackJob): Promise<string> => {
  const answers = new Tally()
  let n = 0
  const guess = async (password: string): Promise<void> => {
    const faults = noFaults()
    const link = await Link.open(target, `guess${n}`, faults, addresses.guesses)
    const answer = link.authenticate(target, { user, password }).then(() => "let in", (error: Error) => error.message)
    const said = await Promise.race([answer, sleep(3000, "no answer in three seconds", { ref: false })])
    const seen = / (\d{3}) /.exec(said)?.[1] ?? said
    answers.add(seen)
    link.destroy()
  }
  while (!running.stop) {
    for (let i = 0; i < GUESSES_PER_SECOND / 50; i++) void guess(`guess${n++}`).catch(() => {})
    await sleep(20)
  }
  await sleep(3100)
  return `${n} guesses: ${answers.text()}`
}

/** Sends requests of one client to many next hops that never finish a handshake. */
const dials = async ({ account, target }: AttackJob): Promise<string> => {
  let accepted = 0
  const pits = createServer((socket) => {
    accepted++
    sockets.add(socket.on("error", () => {}))
  })
  const servers = [pits]
  await new Promise<void>((resolve) => pits.listen(0, "127.1.0.1", resolve))
  const { port } = pits.address() as { port: number }
  for (let i = 2; i <= PITS; i++) {
    const one = createServer((socket) => pits.emit("connection", socket))
    servers.push(one)
    await new Promise<void>((resolve) => one.listen(port, `127.1.0.${i}`, resolve))
  }
  const link = await Link.open(target, "dials", noFaults(), addresses.dials)
  const usePath = await link.authenticate(target, account)
  const statuses = new Tally()
  link.onAnswer = (status) => statuses.add(status)
  let asked = 0
  while (!running.stop) {
    for (let i = 0; i < DIALS / 50; i++) {
      const host = `127.1.${Math.trunc(asked / 200) % 5}.${asked % 200 + 1}`
      link.text(hi(`dial${asked++}`, `${usePath} msrps://${host}:${port}/x;tcp`, link.uri))
    }
    await sleep(20)
  }
  link.destroy()
  for (const server of servers) server.close()
  return `${asked} requests to ${DIALS} hosts: ${accepted} dialled; answers ${statuses.text()}`
}

/** Sends requests of one client, on ten connections, each to another next hop; these answer. */
const hops = async ({ account, target }: AttackJob): Promise<string> => {
  let accepted = 0
  const server = createServer((socket) => {
    accepted++
    sockets.add(socket.on("error", () => {}))
    let text = ""
    socket.on("data", (octets) => {
      text += octets.toString("latin1")
      const frame = /^MSRP (\S+) SEND\r\nTo-Path: (\S+).*\r\nFrom-Path: (\S+)[^]*?-------\1\$\r\n/
      for (let found = frame.exec(text); found !== null; found = frame.exec(text)) {
        const [all, id, own, to] = found
        text = text.slice(all.length)
        socket.write(`MSRP ${id} 200 OK\r\nTo-Path: ${to}\r\nFrom-Path: ${own}\r\n-------${id}$\r\n`)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve))
  const { port } = server.address() as AddressInfo
  const statuses = new Tally()
  const users = await Promise.all(Array.from({ length: 10 }, async (_, i) => {
    const link = await Link.open(target, `hops${i}`, noFaults(), addresses.hops)
    const usePath = await link.authenticate(target, account)
    link.onAnswer = (status) => statuses.add(status)
    return { link, usePath }
  }))
  const asked = await steadily(HOPS_PER_SECOND, (n) => {
    const { link, usePath } = users[n % users.length]!
    const host = `127.2.${Math.trunc(n / 200) % 250}.${n % 200 + 1}`
    link.text(hi(`hop${n}`, `${usePath} msrp://${host}:${port}/x;tcp`, link.uri))
  })
  for (const { link } of users) link.destroy()
  server.close()
  return `${asked} requests to as many hosts: ${accepted} dialled; answers ${statuses.text()}`
}

/** A connection of the attacker to the first relay; it is replaced when the relay closes it. */
class Behind {
  private readonly job: AttackJob & { readonly second: Target }
  private readonly answers: Tally
  private link: { readonly link: Link; readonly faults: Faults; readonly via: string; challenge: string } | undefined
  private opening = false
  opened = 0

  constructor(job: AttackJob, answers: Tally) {
    if (job.second === undefined) throw new Error("there is no second relay")
    this.job = { ...job, second: job.second }
    this.answers = answers
  }

  get ready(): boolean {
    if (this.link !== undefined && this.link.faults.broken === 0) return true
    this.link = undefined
    if (!this.opening) void this.open()
    return false
  }

  /** Sends a wrong password for a user of the second relay. */
  guess(user: string): void {
    if (!this.ready) return
    const { challenge, link, via } = this.link!
    const { uri } = this.job.second
    const id = `guess${Math.random().toString(36).slice(2, 12)}`
    const answer = authorization(challenge, uri, { user, password: id })
    link.text(
      `MSRP ${id} AUTH\r\nTo-Path: ${via} ${uri}\r\nFrom-Path: ${link.uri}\r\nAuthorization: ${answer}\r\n-------${id}$\r\n`
    )
  }

  end(): void {
    this.link?.link.destroy()
    this.link = undefined
    this.opening = true
  }

  private async open(): Promise<void> {
    const { account, second, target } = this.job
    this.opening = true
    const faults = noFaults()
    let link: Link | undefined
    try {
      link = await Link.open(target, `behind${this.opened++}`, faults, addresses.storm)
      const via = await link.authenticate(target, account)
      const challenge = await Promise.race([link.auth(`${via} ${second.uri}`), sleep(3000, "", { ref: false })])
      if (headerValues(challenge, "WWW-Authenticate").length > 0) {
        link.onAnswer = (status) => this.answers.add(status)
        this.link = { link, faults, via, challenge }
      } else {
        link.destroy()
      }
    } catch {
      link?.destroy()
    }
    if (running.stop) this.end()
    else this.opening = false
  }
}

/** Sends a few wrong passwords for one user of the second relay. */
const trickle = async (job: AttackJob): Promise<string> => {
  const answers = new Tally()
  const one = new Behind(job, answers)
  while (!one.ready) await sleep(20)
  let n = 0
  for (; n < TRICKLE && !running.stop; n++) {
    one.guess("victim")
    await sleep(job.seconds * 900 / TRICKLE)
  }
  while (!running.stop) await sleep(20)
  one.end()
  return `${n} guesses behind the other relay: ${answers.text()}`
}

/** Sends wrong passwords for many users of the second relay at a high rate. */
const storm = async (job: AttackJob): Promise<string> => {
  const answers = new Tally()
  const links = Array.from({ length: STORM_LINKS }, () => new Behind(job, answers))
  const n = await steadily(STORM_PER_SECOND, (n) => links[n % STORM_LINKS]!.guess(`victim${n % STORM_USERS}`))
  for (const link of links) link.end()
  const opened = links.reduce((sum, one) => sum + one.opened, 0)
  return `${n} guesses behind the other relay, ${opened} connections: ${answers.text()}`
}

/** A From-Path of 8 KB; each number gives another one. */
const longPath = (first: string, n: number): string =>
  [first, ...Array.from({ length: 15 }, (_, i) => `msrp://h.invalid:9/${i}x${String(n).padStart(495, "0")};tcp`)].join(
    " "
  )

/** Sends SENDs, each with another From-Path, to a session of the same user that reads them and never answers. */
const paths = async ({ account, target }: AttackJob): Promise<string> => {
  const statuses = new Tally()
  const links: Array<Link> = []
  const open = async (name: string): Promise<readonly [Link, string]> => {
    const link = await Link.open(target, name, noFaults(), addresses.paths)
    links.push(link)
    return [link, await link.authenticate(target, account)]
  }
  const senders = await Promise.all(Array.from({ length: PATH_LINKS }, async (_, i) => {
    const [receiver, usePath] = await open(`deaf${i}`)
    receiver.ignore()
    const [link] = await open(`paths${i}`)
    link.onAnswer = (status) => statuses.add(status)
    return { link, toPath: `${usePath} ${receiver.uri}` }
  }))
  let n = 0
  while (!running.stop) {
    for (const { link, toPath } of senders) {
      for (let i = 0; i < PATHS_AT_ONCE && !link.held; i++, n++) {
        link.text(hi(`path${n}`, toPath, longPath(link.uri, n)))
      }
    }
    await sleep(1)
  }
  for (const link of links) link.destroy()
  return `${n} SENDs written by ${PATH_LINKS} connections; answers ${statuses.text()}`
}

/** Opens `GARBAGE` connections that speak another protocol, even if it is told to stop earlier. */
const garbage = async ({ target }: AttackJob): Promise<string> => {
  let opened = 0
  let failed = 0
  const one = (n: number): Promise<void> =>
    new Promise((resolve) => {
      const localAddress = `127.3.0.${1 + n % GARBAGE_ADDRESSES}`
      const socket = connect({ host: target.host, port: target.port, localAddress })
      socket.on("error", () => failed++).on("close", () => resolve()).on("data", () => {})
      socket.setTimeout(10_000, () => socket.destroy())
      socket.write("GET / HTTP/1.1\r\nHost: relay.example.com\r\n\r\n")
    })
  const start = performance.now()
  await Promise.all(Array.from({ length: GARBAGE_AT_ONCE }, async () => {
    while (opened < GARBAGE) await one(opened++)
  }))
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  return `${opened} connections in ${seconds} s, ${failed} of them broken off`
}

process.once("message", (job: AttackJob) => {
  process.once("message", () => running.stop = true)
  const run = { silence, guesses, dials, hops, trickle, storm, paths, garbage }[job.attack]
  void run(job).then((did) => {
    for (const socket of sockets) socket.destroy()
    process.send!({ did })
    process.disconnect()
  })
})

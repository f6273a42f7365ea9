/**
 * An attacker of the flood benchmark, in a process and from an address of its own: starts on the first message, ends when it
 * is told to.
 */
import { connect, createServer, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import type { Account } from "./digest.ts"
import { Link, noFaults, type Target } from "./link.ts"

export type Attack = "silence" | "guesses" | "dials"

export interface AttackJob {
  readonly attack: Attack
  readonly target: Target
  /** `guesses`: whose password is guessed. `dials`: who asks for them. */
  readonly account: Account
}

/** Who guesses is slowed down by address. */
const addresses: Readonly<Record<Attack, string>> = { silence: "127.0.0.2", guesses: "127.0.0.3", dials: "127.0.0.4" }

const CONNECTIONS = 5000
const GUESSES_PER_SECOND = 200
const DIALS = 1000
/** Hosts that accept a connection and never finish its TLS handshake. */
const PITS = 64

const running = { stop: false }
const sockets = new Set<Socket>()

/** Connections that send nothing; those that are closed are opened again. */
const silence = async (target: Target): Promise<string> => {
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

/** AUTHs with ever other passwords for one user, one on each connection. */
const guesses = async (target: Target, { user }: Account): Promise<string> => {
  const answers = new Map<string, number>()
  let n = 0
  const guess = async (password: string): Promise<void> => {
    const faults = noFaults()
    const link = await Link.open(target, `guess${n}`, faults, addresses.guesses)
    const answer = link.authenticate(target, { user, password }).then(() => "let in", (error: Error) => error.message)
    const said = await Promise.race([answer, sleep(3000, "no answer in three seconds", { ref: false })])
    const seen = / (\d{3}) /.exec(said)?.[1] ?? said
    answers.set(seen, (answers.get(seen) ?? 0) + 1)
    link.destroy()
  }
  while (!running.stop) {
    for (let i = 0; i < GUESSES_PER_SECOND / 50; i++) void guess(`guess${n++}`).catch(() => {})
    await sleep(20)
  }
  await sleep(3100)
  const counted = [...answers].map(([answer, count]) => `${count} × ${answer}`)
  return `${n} guesses: ${counted.join(", ")}`
}

/** Requests of one client to as many next hops. */
const dials = async (target: Target, account: Account): Promise<string> => {
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
  const statuses = new Map<string, number>()
  link.onAnswer = (status) => statuses.set(status, (statuses.get(status) ?? 0) + 1)
  let asked = 0
  while (!running.stop) {
    for (let i = 0; i < DIALS / 50; i++) {
      const id = `dial${String(asked).padStart(8, "0")}`
      const host = `127.1.${Math.trunc(asked / 200) % 5}.${asked % 200 + 1}`
      asked++
      link.text(
        `MSRP ${id} SEND\r\nTo-Path: ${usePath} msrps://${host}:${port}/x;tcp\r\nFrom-Path: ${link.uri}\r\n` +
          `Message-ID: ${id}\r\nByte-Range: 1-2/2\r\nContent-Type: text/plain\r\n\r\nhi\r\n-------${id}$\r\n`
      )
    }
    await sleep(20)
  }
  link.destroy()
  for (const server of servers) server.close()
  const counted = [...statuses].map(([status, count]) => `${count} × ${status}`).join(", ")
  return `${asked} requests to ${DIALS} hosts: ${accepted} dialled; answers ${counted}`
}

process.once("message", (job: AttackJob) => {
  process.once("message", () => running.stop = true)
  const run = { silence, guesses, dials }[job.attack]
  void run(job.target, job.account).then((did) => {
    for (const socket of sockets) socket.destroy()
    process.send!({ did })
    process.disconnect()
  })
})

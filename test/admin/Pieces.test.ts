/** What comes in is passed on in pieces: all of it, in order, and its end behind it. */
import { once } from "node:events"
import { createServer, type IncomingMessage, type Server } from "node:http"
import * as Net from "node:net"
import { afterEach, assert, it } from "vitest"
import { MAX_PIECE, MAX_WAITING, passInPieces } from "../../src/admin/Pieces.ts"

const ended: Array<() => void> = []
afterEach(() => ended.splice(0).forEach((end) => end()))

/** A server to whose sockets octets come in pieces, and a client of it; `pass` runs what is to be done in a turn. */
const connected = async () => {
  const tasks: Array<() => void> = []
  const server: Server = createServer()
  const sockets: Array<Net.Socket> = []
  server.on("connection", (socket) => {
    sockets.push(socket)
    passInPieces(socket, (task) => void tasks.push(task))
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const client = Net.connect((server.address() as Net.AddressInfo).port, "127.0.0.1")
  ended.push(() => {
    client.destroy()
    server.closeAllConnections()
    server.close()
  })
  await once(client, "connect")
  const turn = () => new Promise((resume) => void setImmediate(resume))
  const pass = async (enough: () => boolean): Promise<void> => {
    while (!enough()) {
      tasks.shift()?.()
      await turn()
    }
  }
  return { client, pass, server, sockets, tasks, turn }
}

it("passes on a long body whole, in pieces, and then what comes behind it", async () => {
  const { client, pass, server, sockets } = await connected()
  const body = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251))
  const requests: Array<IncomingMessage> = []
  const received: Array<Buffer> = []
  let isDone = false
  server.on("request", (request, response) => {
    requests.push(request)
    request.on("data", (piece: Buffer) => void received.push(piece))
    request.on("end", () => void response.end())
    isDone = requests.length === 2
  })
  client.resume().write(`POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`)
  client.write(body)
  client.write("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
  await pass(() => isDone)
  assert.isTrue(Buffer.concat(received).equals(body))
  assert.isAtMost(Math.max(...received.map(({ length }) => length)), MAX_PIECE)
  assert.deepStrictEqual(requests.map(({ url }) => url), ["/1", "/2"])
  assert.lengthOf(sockets, 1)
})

it("parses one head with each piece, wherever its end is", async () => {
  const { client, pass, server, tasks, turn } = await connected()
  const urls: Array<string> = []
  server.on("request", ({ url }) => void urls.push(url!))
  client.write("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r")
  while (tasks.length === 0) await turn()
  for (const seen of [1, 2, 2]) {
    tasks.shift()!()
    assert.lengthOf(urls, seen)
    while (seen < 2 && tasks.length === 0) await turn()
    await turn()
  }
  client.write("\n")
  await pass(() => urls.length === 3)
  assert.deepStrictEqual(urls, ["/1", "/2", "/3"])
})

it("passes on the end behind all that came before it", async () => {
  const { client, pass, server, sockets } = await connected()
  const urls: Array<string> = []
  server.on("request", ({ url }, response) => {
    urls.push(url!)
    response.end()
  })
  client.resume().end("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(20))
  await pass(() => sockets[0]?.readableEnded === true)
  assert.lengthOf(urls, 20)
})

it("reads on only when what has come is passed on, and gives up a socket that is read nevertheless", async () => {
  const { client, pass, server, sockets, tasks, turn } = await connected()
  server.on("request", (request) => void request.resume())
  client.on("error", () => {})
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n`)
  client.write(Buffer.alloc(10_000_000))
  await pass(() => (sockets[0]?.bytesRead ?? 0) > 0)
  for (let i = 0; i < 100; i++) await turn()
  const { bytesRead } = sockets[0]!
  assert.isAtMost(bytesRead, 2 * 65_536)
  tasks.shift()?.()
  for (let i = 0; i < 100; i++) await turn()
  assert.strictEqual(sockets[0]!.bytesRead, bytesRead)
  // As Node does when it has paused the socket for what one request brought.
  sockets[0]!.push(Buffer.alloc(MAX_WAITING))
  assert.isTrue(sockets[0]!.destroyed)
})

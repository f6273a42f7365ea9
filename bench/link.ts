/** One connection of the load client: how it is opened and closed, its AUTHs, and what it sends. `Input` reads it. */
import { connect as connectTcp, type NetConnectOpts, type Socket } from "node:net"
import { connect as connectTls, createSecureContext } from "node:tls"
import { type Account, authorization, headerValues } from "./digest.ts"
import type { SendFrame } from "./frames.ts"
import { type Expected, type Faults, Input, readBuffer, type Reading } from "./input.ts"
import { Output } from "./output.ts"
import { hasTls, isWebSocket, type Transport, uriOf } from "./scenarios.ts"
import { requestFor, Unframer } from "./webSocket.ts"

export interface Target {
  readonly transport: Transport
  readonly host: string
  readonly port: number
  /** The relay's own URI, which AUTH goes to. */
  readonly uri: string
}

/** A source address for a client. Linux has all of 127/8, and with many addresses the ports of closed connections do not run out. */
export const sourceAddress = (target: Target, index: number): string | undefined =>
  process.platform === "linux" && target.host.startsWith("127.") ? `127.0.0.${2 + index % 200}` : undefined

const secureContext = createSecureContext()

export class Link implements Reading {
  /** The MSRP URI of this end, with its real address. */
  readonly uri: string
  readonly faults: Faults
  readonly output: Output
  /** Messages sent. */
  sent = 0
  /** Called after every read, when all complete frames in it have been counted. */
  onRead: () => void = () => {}

  private readonly socket: Socket
  private readonly input: Input
  /** Defined for a WebSocket, on which each MSRP frame is a message. */
  private readonly unframer: Unframer | undefined
  /** Called when the WebSocket is open. */
  private onOpen: (() => void) | undefined
  private auths = 0
  private closing = false
  private ignores = false
  private outgoing: SendFrame | undefined

  private constructor(socket: Socket, uri: string, faults: Faults, byMessages: boolean) {
    this.unframer = byMessages ? new Unframer((pong) => this.socket.write(pong)) : undefined
    this.socket = socket
    this.output = new Output(socket, byMessages)
    this.uri = uri
    this.faults = faults
    this.input = new Input(this)
  }

  /** Connects. Rejects if that fails; later faults of the connection are counted in `faults`. */
  static open(target: Target, name: string, faults: Faults, localAddress?: string): Promise<Link> {
    return new Promise((resolve, reject) => {
      let link: Link | undefined
      const options: NetConnectOpts = {
        host: target.host,
        port: target.port,
        noDelay: true,
        onread: {
          buffer: readBuffer,
          callback: (length) => {
            link!.read(length)
            return true
          }
        },
        ...(localAddress === undefined ? {} : { localAddress })
      }
      const secure = hasTls(target.transport)
      const byMessages = isWebSocket(target.transport)
      const socket = secure
        ? connectTls({ ...options, rejectUnauthorized: false, secureContext })
        : connectTcp(options)
      socket.setNoDelay(true)
      socket.once("error", reject)
      socket.once(secure ? "secureConnect" : "connect", () => {
        const address = socket.localAddress!.includes(":") ? `[${socket.localAddress}]` : socket.localAddress
        const uri = uriOf(target.transport, `${address}:${socket.localPort}/${name}`)
        const opened = new Link(socket, uri, faults, byMessages)
        link = opened
        socket.off("error", reject)
        socket.on("error", (error) => opened.fail(error.message))
        socket.on("close", () => opened.fail("closed by the relay"))
        if (!byMessages) return resolve(opened)
        socket.once("close", () => reject(new Error("no WebSocket was opened")))
        opened.onOpen = () => resolve(opened)
        socket.write(requestFor(target))
      })
    })
  }

  /** Sends an AUTH, and answers its challenge; through the relays of the Use-Path `via`, if given. Returns the Use-Path. */
  async authenticate({ uri }: Pick<Target, "uri">, account: Account, via?: string): Promise<string> {
    const toPath = via === undefined ? uri : `${via} ${uri}`
    const first = await this.auth(toPath)
    const answer = authorization(first, uri, account)
    if (answer === undefined) throw new Error(`no usable challenge: ${first.split("\r\n", 1)[0]}`)
    const second = await this.auth(toPath, answer)
    const usePath = headerValues(second, "Use-Path")[0]
    if (usePath === undefined) throw new Error(`AUTH refused: ${second.split("\r\n", 1)[0]}`)
    return usePath
  }

  /** Sends one AUTH; `answer` is the value of its Authorization. Returns the response. */
  auth(toPath: string, answer?: string): Promise<string> {
    const id = `auth${++this.auths}x${this.socket.localPort}`
    this.text(
      `MSRP ${id} AUTH\r\nTo-Path: ${toPath}\r\nFrom-Path: ${this.uri}\r\n` +
        (answer === undefined ? "" : `Authorization: ${answer}\r\n`) + `-------${id}$\r\n`
    )
    return new Promise((resolve, reject) => {
      const closed = (): void => reject(new Error("closed by the relay during AUTH"))
      this.input.awaited = (response) => {
        this.socket.off("close", closed)
        resolve(response)
      }
      this.socket.once("close", closed)
    })
  }

  /** Sets what `send` sends, and which messages must arrive. */
  converse(outgoing: SendFrame, expected: Expected): void {
    this.outgoing = outgoing
    this.input.expected = expected
  }

  /** Adds the next message to the output; `flush` writes it. */
  send(frame = this.outgoing!): void {
    this.output.send(frame)
    frame.next()
    this.sent++
  }

  /** Writes the text of a frame at once. */
  text(frame: string): void {
    this.output.text(frame)
  }

  /** Writes the messages and responses that were added. */
  flush(): void {
    this.output.flush()
  }

  /** Whether the operating system accepts no more octets for now. */
  get held(): boolean {
    return this.socket.writableNeedDrain
  }

  /** Calls `resume` whenever the operating system accepts octets again. */
  onDrain(resume: () => void): void {
    this.socket.on("drain", resume)
  }

  /** Discards everything that arrives, without an answer. */
  ignore(): void {
    this.ignores = true
  }

  /** Stops reading from the connection. */
  pause(): void {
    this.socket.pause()
  }

  /** Closes the connection after all writes. Resolves when the relay has closed it too. */
  close(): Promise<void> {
    this.closing = true
    return new Promise((resolve) => {
      if (this.socket.closed) return resolve()
      this.socket.once("close", () => resolve())
      this.socket.end()
    })
  }

  /** Closes the connection at once. */
  destroy(): void {
    this.closing = true
    this.socket.destroy()
  }

  get isClosing(): boolean {
    return this.closing
  }

  /** Whole messages that arrived. */
  get delivered(): number {
    return this.input.delivered
  }

  /** Octets of the bodies that arrived. */
  get octets(): number {
    return this.input.octets
  }

  /** 200s received. */
  get acknowledged(): number {
    return this.input.acknowledged
  }

  /** Called with the status of each response to a SEND, for a caller that expects statuses other than 200. */
  set onAnswer(answered: (status: string) => void) {
    this.input.onAnswer = answered
  }

  fail(reason: string): void {
    if (this.closing) return
    this.closing = true
    this.faults.broken++
    this.faults.first ??= reason
    this.socket.destroy()
  }

  private read(length: number): void {
    if (this.closing || this.ignores) return
    const { unframer } = this
    const end = unframer === undefined ? length : unframer.strip(readBuffer, 0, length)
    if (unframer !== undefined && this.onOpen !== undefined) {
      if (unframer.refusal !== undefined) this.fail(unframer.refusal)
      if (!unframer.isOpen) return
      this.onOpen()
      this.onOpen = undefined
    }
    this.input.read(end)
    this.onRead()
  }
}

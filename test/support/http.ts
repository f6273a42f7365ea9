/** Requests over HTTP as they are, with any header fields: also those that no browser and no library would send. */
import * as Effect from "effect/Effect"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Http from "node:http"

export interface Answer {
  readonly status: number
  readonly headers: Http.IncomingHttpHeaders
  readonly text: string
  /** The body as JSON. */
  readonly json: any
}

export interface Asking {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Where to: a port of 127.0.0.1, or the path of a Unix socket, where Host is `localhost`. */
export type Where = number | string

export const optionsOf = (where: Where): Http.RequestOptions =>
  typeof where === "number" ? { host: "127.0.0.1", port: where } : { socketPath: where }

export const request = (where: Where, path: string, { body, headers = {}, method = "GET" }: Asking = {}) =>
  Effect.callback<Answer, Error>((resume) => {
    const asked = Http.request({ ...optionsOf(where), path, method, headers: { ...headers }, agent: false })
    asked.once("error", (error) => resume(Effect.fail(error)))
    asked.once("response", (response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", (piece: string) => text += piece)
      response.on("error", (error) => resume(Effect.fail(error)))
      response.on("end", () => {
        const json = response.headers["content-type"]?.includes("json") === true && text !== ""
          ? JSON.parse(text.split("\n")[0]!)
          : undefined
        resume(Effect.succeed({ status: response.statusCode!, headers: response.headers, text, json }))
      })
    })
    asked.end(body)
    return Effect.sync(() => asked.destroy())
  })

/** The octets that a response has; of one with a text, which Node encodes for each client, an error. */
export const octetsOf = ({ body }: HttpServerResponse): Uint8Array => {
  if (body._tag !== "Uint8Array" || body.text !== undefined) throw new Error("the response has a text")
  return body.body
}

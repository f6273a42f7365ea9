/** Checks the bodies of requests to endpoints that take none. `Guard` has checked their length before. */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { EmptyBody } from "./Api.ts"
import { BadRequest } from "./Problems.ts"

/** Whether a body is empty, or an empty JSON object, which some clients send instead. */
const isEmpty = (text: string): boolean => {
  try {
    const value: unknown = text === "" ? {} : JSON.parse(text)
    return typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
  } catch {
    return false
  }
}

const check = Effect.gen(function*() {
  const { headers, text } = yield* HttpServerRequest.HttpServerRequest
  if (Number(headers["content-length"] ?? 0) === 0) return
  const sent = yield* Effect.option(text)
  if (!Option.exists(sent, isEmpty)) return yield* new BadRequest({ detail: "This takes no body, or {}" })
})

export const layerEmptyBody: Layer.Layer<EmptyBody> = Layer.succeed(
  EmptyBody,
  (answer, { endpoint }) => endpoint.payload.size > 0 ? answer : Effect.andThen(check, answer)
)

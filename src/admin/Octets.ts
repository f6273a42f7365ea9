/** Responses whose text is encoded once. */
import * as HttpBody from "effect/http/HttpBody"
import * as HttpServerResponse from "effect/http/HttpServerResponse"

/**
 * The response with its text as octets. Node would encode a text for each request anew, and keep a copy of it for each client that does
 * not read; octets are shared by all of them.
 */
export const asOctets = (response: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse => {
  const { body } = response
  return body._tag === "Uint8Array"
    ? HttpServerResponse.setBody(response, HttpBody.uint8Array(body.body, body.contentType))
    : response
}

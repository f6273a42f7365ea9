/** The error responses of the API: problem details in JSON (RFC 9457). */
import * as HttpApiError from "effect/http-api/HttpApiError"
import * as Schema from "effect/Schema"

const TYPE = "about:blank"

/**
 * 400: the body is not valid here.
 *
 * @category errors
 * @since 0.2.0
 */
export class BadRequest extends HttpApiError.Problem<BadRequest>()("BadRequest", {
  type: TYPE,
  status: 400,
  title: "Bad Request"
}) {}

/**
 * 401: the token is missing or wrong.
 *
 * @category errors
 * @since 0.2.0
 */
export class Unauthorized extends HttpApiError.Problem<Unauthorized>()("Unauthorized", {
  type: TYPE,
  status: 401,
  title: "Unauthorized"
}) {}

/**
 * 403: the request comes from a page of another origin, or its `Host` is not a name of the API.
 *
 * @category errors
 * @since 0.2.0
 */
export class Forbidden extends HttpApiError.Problem<Forbidden>()("Forbidden", {
  type: TYPE,
  status: 403,
  title: "Forbidden"
}) {}

/**
 * 404: there is no such session, connection or page.
 *
 * @category errors
 * @since 0.2.0
 */
export class NotFound extends HttpApiError.Problem<NotFound>()("NotFound", {
  type: TYPE,
  status: 404,
  title: "Not Found"
}) {}

/**
 * 405: the path exists, but not with this method.
 *
 * @category errors
 * @since 0.2.0
 */
export class MethodNotAllowed extends HttpApiError.Problem<MethodNotAllowed>()("MethodNotAllowed", {
  type: TYPE,
  status: 405,
  title: "Method Not Allowed"
}) {}

/**
 * 411: the request has a body without Content-Length.
 *
 * @category errors
 * @since 0.2.0
 */
export class LengthRequired extends HttpApiError.Problem<LengthRequired>()("LengthRequired", {
  type: TYPE,
  status: 411,
  title: "Length Required"
}) {}

/**
 * 413: the body is longer than any endpoint needs.
 *
 * @category errors
 * @since 0.2.0
 */
export class TooLarge extends HttpApiError.Problem<TooLarge>()("TooLarge", {
  type: TYPE,
  status: 413,
  title: "Content Too Large"
}) {}

/**
 * 415: the body has a content type that a form of any page could send.
 *
 * @category errors
 * @since 0.2.0
 */
export class UnsupportedType extends HttpApiError.Problem<UnsupportedType>()("UnsupportedType", {
  type: TYPE,
  status: 415,
  title: "Unsupported Media Type"
}) {}

/**
 * 501: this relay runs without the requested part.
 *
 * @category errors
 * @since 0.2.0
 */
export class NotAvailable extends HttpApiError.Problem<NotAvailable>()("NotAvailable", {
  type: TYPE,
  status: 501,
  title: "Not Implemented"
}) {}

/**
 * 503: `/readyz` asks for no new clients (with the reasons), a time limit has passed, or there are too many traces.
 *
 * @category errors
 * @since 0.2.0
 */
export class Unavailable extends HttpApiError.Problem<Unavailable>()("Unavailable", {
  type: TYPE,
  status: 503,
  title: "Service Unavailable"
}, {
  reasons: Schema.optionalKey(Schema.Array(Schema.String))
}) {}

/** What the API answers instead: problems in JSON (RFC 9457), each with a sentence about what is wrong. */
import * as HttpApiError from "effect/http-api/HttpApiError"
import * as Schema from "effect/Schema"

const TYPE = "about:blank"

/** 400: a body that makes no sense. */
export class BadRequest extends HttpApiError.Problem<BadRequest>()("BadRequest", {
  type: TYPE,
  status: 400,
  title: "Bad Request"
}) {}

/** 401: no token, or another one. */
export class Unauthorized extends HttpApiError.Problem<Unauthorized>()("Unauthorized", {
  type: TYPE,
  status: 401,
  title: "Unauthorized"
}) {}

/** 403: the request comes from a page of somebody else, or is for a name that is not the API's. */
export class Forbidden extends HttpApiError.Problem<Forbidden>()("Forbidden", {
  type: TYPE,
  status: 403,
  title: "Forbidden"
}) {}

/** 404: there is no such session, connection or page. */
export class NotFound extends HttpApiError.Problem<NotFound>()("NotFound", {
  type: TYPE,
  status: 404,
  title: "Not Found"
}) {}

/** 405: the path is there, the method is not. */
export class MethodNotAllowed extends HttpApiError.Problem<MethodNotAllowed>()("MethodNotAllowed", {
  type: TYPE,
  status: 405,
  title: "Method Not Allowed"
}) {}

/** 411: a body whose length nobody tells. */
export class LengthRequired extends HttpApiError.Problem<LengthRequired>()("LengthRequired", {
  type: TYPE,
  status: 411,
  title: "Length Required"
}) {}

/** 413: a body that is longer than any that this API wants. */
export class TooLarge extends HttpApiError.Problem<TooLarge>()("TooLarge", {
  type: TYPE,
  status: 413,
  title: "Content Too Large"
}) {}

/** 415: a body that a form of any page could have sent. */
export class UnsupportedType extends HttpApiError.Problem<UnsupportedType>()("UnsupportedType", {
  type: TYPE,
  status: 415,
  title: "Unsupported Media Type"
}) {}

/**
 * 501: this relay runs without that part.
 *
 * @category errors
 * @since 0.2.0
 */
export class NotAvailable extends HttpApiError.Problem<NotAvailable>()("NotAvailable", {
  type: TYPE,
  status: 501,
  title: "Not Implemented"
}) {}

/** 503: what `/readyz` answers while no new work should come, with the reasons, and what else takes too long. */
export class Unavailable extends HttpApiError.Problem<Unavailable>()("Unavailable", {
  type: TYPE,
  status: 503,
  title: "Service Unavailable"
}, {
  reasons: Schema.optionalKey(Schema.Array(Schema.String))
}) {}

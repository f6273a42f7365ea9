/**
 * The phrases that go with status codes in responses and REPORTs (RFC 4975 §10, RFC 4976 §4.6 and §10.3, RFC 7701 §10.3).
 * They are for people: only the number has a meaning.
 */
const phrases: ReadonlyMap<number, string> = new Map([
  [200, "OK"],
  [400, "Bad Request"],
  [401, "Unauthorized"],
  [403, "Forbidden"],
  [404, "Failure to resolve recipient's URI"],
  [408, "Request Timeout"],
  [413, "Stop Sending Message"],
  [415, "Media Type Not Understood"],
  [423, "Interval Out-of-Bounds"],
  [424, "Malformed nickname"],
  [425, "Nickname reserved or already in use"],
  [428, "Private messages not supported"],
  [481, "Session Does Not Exist"],
  [501, "Method Not Understood"],
  [506, "Session Already Bound"]
])

/** The phrase of a status code; empty for one without a phrase. */
export const reasonPhrase = (code: number): string => phrases.get(code) ?? ""

/** All status codes that the RFCs define. */
export const knownStatuses: ReadonlyArray<number> = [...phrases.keys()]

/** Whether a status refuses a request. */
export const isRefusal = (status: unknown): status is number =>
  typeof status === "number" && Number.isInteger(status) && status >= 400 && status <= 599

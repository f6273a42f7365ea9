/** Codes and descriptions of errors of Node, OpenSSL and SQLite. */

/** The code of an error, such as "ECONNREFUSED"; "unknown" if it has none. */
export const codeOf = (error: unknown): string => {
  const { code } = (error instanceof Error ? error : {}) as { readonly code?: string | number | null }
  return String(code ?? "unknown")
}

const words = new Map([
  ["EACCES", "this user may not do that"],
  ["EPERM", "this user may not do that"],
  ["EADDRINUSE", "another program holds the address and port"],
  ["EADDRNOTAVAIL", "this machine has no such address"],
  ["EAFNOSUPPORT", "this machine has no such kind of address"],
  ["ECONNREFUSED", "nobody listens there"],
  ["ECONNRESET", "the other side has cut the connection"],
  ["EPIPE", "the other side has cut the connection"],
  ["ERR_TLS_ANSWERS", "the other side does not take what TLS answers"],
  ["ERR_TLS_KEY_UPDATES", "the other side changes keys and sends nothing else"],
  ["ETIMEDOUT", "no answer in time"],
  ["EHOSTUNREACH", "there is no route to it"],
  ["ENETUNREACH", "there is no route to it"],
  ["EHOSTDOWN", "it is down"],
  ["ENETDOWN", "the network is down"],
  ["ENOTFOUND", "there is no such host name"],
  ["ENODATA", "the host name has no address"],
  ["EAI_AGAIN", "the name servers do not answer"],
  ["ETIMEOUT", "the name servers do not answer"],
  ["ESERVFAIL", "the name servers have failed"],
  ["EREFUSED", "the name servers have refused to answer"],
  ["EBADNAME", "it is not a host name"],
  ["EMFILE", "this process has no file descriptors left"],
  ["ENFILE", "the system has no file descriptors left"],
  ["ENOBUFS", "the system has no memory left for it"],
  ["ENOMEM", "the system has no memory left for it"],
  ["ENOENT", "there is no such file"],
  ["ENOTDIR", "there is no such file"],
  ["EISDIR", "it is a directory"],
  ["ELOOP", "its symbolic links lead in a circle"],
  ["ENAMETOOLONG", "the path is too long"],
  ["EIO", "reading or writing has failed"],
  ["EDQUOT", "the disk quota is used up"],
  ["EFBIG", "a file may not become that large"],
  ["ENOSPC", "the disk is full"],
  ["EROFS", "the file system is read-only"]
])

/** The error in words, with its code; the code alone if there are no words. SQLite's errors share one code, and have their own words. */
export const wordsOf = (error: unknown): string => {
  if (error instanceof Error && "errstr" in error) return String(error.errstr)
  const code = codeOf(error)
  const known = words.get(code)
  return known === undefined ? code : `${known} (${code})`
}

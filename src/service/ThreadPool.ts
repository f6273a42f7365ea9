/**
 * Enlarges Node's thread pool; imported before anything uses it. At most half of its threads resolve host names
 * (getaddrinfo), and each stays occupied until the name servers answer, even if nobody waits any more. With Node's
 * default of four threads, two unresponsive names would block all others.
 */
const THREADS = 16

process.env["UV_THREADPOOL_SIZE"] ??= String(THREADS)

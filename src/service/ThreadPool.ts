/**
 * Imported before anything uses the threads of Node. Of these half look addresses up (getaddrinfo), each for as long as name
 * servers say nothing, also when nobody waits any more: with the four that Node has two names keep all others waiting.
 */
const THREADS = 16

process.env["UV_THREADPOOL_SIZE"] ??= String(THREADS)

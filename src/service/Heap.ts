/**
 * Imported before anything grows. V8 lets a small heap become up to four times what was in use when it was last looked through, and
 * who sends ever new paths fills all of that with what nobody uses any more, and as much memory of buffers beside it (docs/performance.md).
 */
import { setFlagsFromString } from "node:v8"

/** Per cent of what is in use that come to it before all of it is looked through again. */
const GROWTH = 30

// V8 reads it whenever it has looked through the heap, so it counts from now on.
setFlagsFromString(`--heap-growing-percent=${GROWTH}`)

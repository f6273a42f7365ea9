#!/usr/bin/env -S node --disable-sigusr1 --max-semi-space-size=8
/**
 * The command. Nothing runs before all that is imported here, and what that imports, has been loaded: so it is only what must
 * be there before the rest.
 */
import { holdSignals } from "./EarlySignals.ts"
// oxlint-disable-next-line import/no-unassigned-import -- it is there for what it does
import "./Heap.ts"
// oxlint-disable-next-line import/no-unassigned-import -- it is there for what it does
import "./ThreadPool.ts"

holdSignals(process.argv[2])
await import("./program.ts")

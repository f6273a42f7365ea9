#!/usr/bin/env -S node --disable-sigusr1 --max-semi-space-size=8
/**
 * The executable. Its imports, and theirs, are loaded before anything runs, so it imports only what must be set up
 * before the rest.
 */
import { holdSignals } from "./EarlySignals.ts"
// oxlint-disable-next-line import/no-unassigned-import -- it is there for what it does
import "./Heap.ts"
// oxlint-disable-next-line import/no-unassigned-import -- it is there for what it does
import "./HelperThreads.ts"
// oxlint-disable-next-line import/no-unassigned-import -- it is there for what it does
import "./ThreadPool.ts"

holdSignals(process.argv[2])
await import("./program.ts")

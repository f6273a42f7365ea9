/**
 * Gives V8's helper threads, which mark live objects and compile, a lower priority than the event loop; imported before they have
 * much to do. There are four of them. Where the process has one processor, they would take it from the event loop for up to a third
 * of a second beside readers that read nothing. The price there: the heap grows more before it is collected (212 MB at the peak of
 * logins instead of 180), and logins in the first seconds take 5 to 8 % more. Only on Linux, where a thread has a priority of its
 * own.
 */
import { readdirSync, readFileSync } from "node:fs"
import { constants, getPriority, setPriority } from "node:os"

/** How much lower. With 15, garbage is collected so late under load that the process takes half as much memory again. */
const LOWER = 5

const TASKS = "/proc/self/task"
const NAME = "V8Worker\n"

try {
  const priority = Math.min(getPriority() + LOWER, constants.priority.PRIORITY_LOW)
  for (const task of readdirSync(TASKS)) {
    if (readFileSync(`${TASKS}/${task}/comm`, "utf8") === NAME) setPriority(Number(task), priority)
  }
} catch {
  // There are no such files, or the system does not allow it. The relay works all the same.
}

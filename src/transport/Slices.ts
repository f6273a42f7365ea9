/** Tasks run in one turn of the event loop: thousands of sockets that arrive together must not delay open connections. */
const AT_ONCE = 16

/**
 * Makes a queue that runs tasks in order, `atOnce` in each turn of the event loop, or one while `busy`. `defer` runs a task
 * later in this turn, or in the next.
 */
export const makeSlices = (
  defer: (task: () => void) => void,
  busy: () => boolean = () => false,
  atOnce = AT_ONCE
): (task: () => void) => void => {
  let tasks: Array<() => void> = []
  let next = 0
  const run = (): void => {
    const most = busy() ? 1 : atOnce
    for (let i = 0; i < most && next < tasks.length; i++) tasks[next++]!()
    if (next < tasks.length) return defer(run)
    tasks = []
    next = 0
  }
  return (task) => {
    if (tasks.push(task) === 1) defer(run)
  }
}

/** Collects tasks and runs those of one turn of the event loop together, in order. */
export const makeDefer = (failed: (error: unknown) => void): (task: () => void) => void => {
  let tasks: Array<() => void> = []
  let spare: Array<() => void> = []
  const run = () => {
    const batch = tasks
    tasks = spare
    for (let i = 0; i < batch.length; i++) {
      try {
        batch[i]!()
      } catch (error) {
        failed(error)
      }
    }
    batch.length = 0
    spare = batch
  }
  return (task) => {
    if (tasks.push(task) === 1) setImmediate(run)
  }
}

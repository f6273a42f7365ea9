/** What is given as undefined is absent: only without it can a spread be put over defaults. */
export const defined = <A extends object>(
  given: A | undefined
): { readonly [K in keyof A]?: Exclude<A[K], undefined> } => {
  const found: { [K in keyof A]?: Exclude<A[K], undefined> } = { ...given }
  for (const name of Object.keys(found) as Array<keyof A>) if (found[name] === undefined) delete found[name]
  return found
}

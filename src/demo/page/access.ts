/** User and password: from the link, from before in this tab, or from the form. */

/** Where this tab keeps them, until it is closed or they are no good. */
const KEPT = "msrp-demo"
/** Characters of each. */
export const MAX_CREDENTIAL = 255

export interface Access {
  readonly user: string
  readonly password: string
}

/** What the fragment of a link has, or undefined. */
export const fromFragment = (fragment: string): Access | undefined => {
  const found = new URLSearchParams(fragment.replace(/^#/, ""))
  return checked(found.get("user"), found.get("password"))
}

/** The link's, which is taken out of the address and the history; else what was kept. */
export const takeAccess = (): Access | undefined => {
  const { hash, pathname } = location
  if (hash !== "") history.replaceState(null, "", pathname)
  return fromFragment(hash) ?? kept()
}

export const fragmentOf = ({ password, user }: Access): string =>
  `#${new URLSearchParams({ user, password }).toString()}`

export const keep = (access: Access): void => sessionStorage.setItem(KEPT, JSON.stringify(access))

export const forget = (): void => sessionStorage.removeItem(KEPT)

const kept = (): Access | undefined => {
  try {
    const { password, user } = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}") as Record<string, unknown>
    return checked(user, password)
  } catch {
    return undefined
  }
}

const checked = (user: unknown, password: unknown): Access | undefined =>
  [user, password].every((one) => typeof one === "string" && one !== "" && one.length <= MAX_CREDENTIAL)
    ? { user, password } as Access
    : undefined

/** User and password, from the link, the session storage of the tab, or the form. */

/** Key in the session storage. It is removed when the relay refuses the login. */
const KEPT = "msrp-demo"
/** Characters of a user name, and of a password. */
export const MAX_CREDENTIAL = 255

export interface Access {
  readonly user: string
  readonly password: string
}

/** User and password in the fragment of a link. Undefined if they are not there. */
export const fromFragment = (fragment: string): Access | undefined => {
  const found = new URLSearchParams(fragment.replace(/^#/, ""))
  return checked(found.get("user"), found.get("password"))
}

/** Takes user and password from the link, and removes them from the address and the history; otherwise those that were kept. */
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

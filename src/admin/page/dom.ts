/** Helpers for elements. They insert text only as text nodes, because user names are whatever a client has sent. */

export const byId = (id: string): HTMLElement => document.getElementById(id)!

export const inputById = (id: string): HTMLInputElement => byId(id) as HTMLInputElement

export const setText = (element: Element, text: string): void => {
  if (element.textContent !== text) element.textContent = text
}

export const setClass = (element: Element, name: string): void => {
  if (element.className !== name) element.className = name
}

export const make = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = "",
  ...children: ReadonlyArray<Node | string>
): HTMLElementTagNameMap[K] => {
  const element = document.createElement(tag)
  if (className !== "") element.className = className
  element.append(...children)
  return element
}

/** Gives an element the number of children `many`. Existing children are reused, so that focus and selection are kept. */
export const keep = (parent: Element, many: number, one: () => Element): ReadonlyArray<Element> => {
  while (parent.children.length > many) parent.lastElementChild!.remove()
  while (parent.children.length < many) parent.append(one())
  return [...parent.children]
}

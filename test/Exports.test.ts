/** What docs/api and editors say of the public modules: whatever is exported has a text, a category and a version. */
import { readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import type { JSDoc, Node } from "typescript/unstable/ast"
import {
  isInterfaceDeclaration,
  isPropertySignatureDeclaration,
  isSourceFile,
  isVariableDeclaration
} from "typescript/unstable/ast/is"
import { API, type Project, type Symbol, SymbolFlags } from "typescript/unstable/sync"
import { assert, it } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))
const src = join(root, "src")

/** The sources of what package.json exports. */
const publicModules = (): ReadonlyArray<string> => {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly exports: Readonly<Record<string, string | { readonly types: string }>>
  }
  const types = Object.values(exports).map((one) => typeof one === "string" ? one : one.types)
  return [
    ...new Set(
      types.filter((path) => !path.endsWith(".json")).map((path) =>
        join(root, path.replace("./dist/", "src/").replace(/(\.d)?\.[jt]s$/, ".ts"))
      )
    )
  ]
}

/** Where the doc comment of a declaration stands: a variable's is that of its statement. */
const documented = (declaration: Node): Node =>
  isVariableDeclaration(declaration) ? declaration.parent.parent : declaration

/** The comment nearest to it, which is the one that counts. */
const commentOf = (node: Node): string | undefined =>
  (node.jsDoc as ReadonlyArray<JSDoc> | undefined)?.at(-1)?.getText()

/** What a comment lacks; its text is what stands before the tags. */
const lacking = (comment: string | undefined): ReadonlyArray<string> => {
  if (comment === undefined) return ["a doc comment"]
  const [text = ""] = comment.split(/^\s*\* @/m)
  return [
    ...(/[\p{L}\d]/u.test(text) ? [] : ["a text"]),
    ...(/^\s*\* @category [a-z][a-zA-Z ]+$/m.test(comment) ? [] : ["@category"]),
    ...(/^\s*\* @since \d+\.\d+\.\d+$/m.test(comment) ? [] : ["@since"])
  ]
}

const complaints = ({ checker, program }: Project, module: string): ReadonlyArray<string> => {
  const file = program.getSourceFile(module)
  const symbol = file === undefined ? undefined : checker.getSymbolAtLocation(file)
  assert(symbol !== undefined, `${module} is no module`)
  return checker.getExportsOfModule(symbol).flatMap((exported) => {
    const target = (exported.flags & SymbolFlags.Alias) === 0 ? exported : checker.getAliasedSymbol(exported)
    return declarationsOf(target).flatMap((declaration) =>
      lacking(commentOf(documented(declaration))).map((what) =>
        `${relative(root, declaration.getSourceFile().fileName)}: ${target.name} lacks ${what}`
      )
    )
  })
}

/** Those in the sources; a module as a whole has no others. */
const declarationsOf = (symbol: Symbol): ReadonlyArray<Node> =>
  symbol.declarations.flatMap((handle) => {
    const node = handle.resolve()
    return node === undefined || isSourceFile(node) || !node.getSourceFile().fileName.startsWith(src) ? [] : [node]
  })

it("all that public modules export has a doc comment with @category and @since", () => {
  const api = new API({ cwd: root })
  try {
    const project = api.updateSnapshot({ openProjects: [join(root, "tsconfig.build.json")] }).getProjects()[0]
    assert(project !== undefined)
    const modules = publicModules()
    assert.isAbove(modules.length, 15)
    assert.deepStrictEqual([...new Set(modules.flatMap((module) => complaints(project, module)))], [])
  } finally {
    api.close()
  }
})

/** The members of public interfaces of options that are numbers or times, of which editors would show no unit. */
const unitless = ({ checker, program }: Project, module: string): ReadonlyArray<string> => {
  const symbol = checker.getSymbolAtLocation(program.getSourceFile(module)!)
  assert(symbol !== undefined, `${module} is no module`)
  return checker.getExportsOfModule(symbol).flatMap((exported) => {
    const target = (exported.flags & SymbolFlags.Alias) === 0 ? exported : checker.getAliasedSymbol(exported)
    if (!/(?:Options|Limits)$/.test(target.name)) return []
    return declarationsOf(target).filter(isInterfaceDeclaration).flatMap(({ members }) =>
      members.filter((member) =>
        isPropertySignatureDeclaration(member) && /\bnumber\b|\bDuration\b/.test(member.type?.getText() ?? "") &&
        commentOf(member) === undefined
      ).map((member) => `${target.name}: ${member.getText()}`)
    )
  })
}

it("each option that is a number or a time has a text of its own: editors do not show the one above it", () => {
  const api = new API({ cwd: root })
  try {
    const project = api.updateSnapshot({ openProjects: [join(root, "tsconfig.build.json")] }).getProjects()[0]
    assert(project !== undefined)
    const all = publicModules().flatMap((module) => unitless(project, module))
    assert.deepStrictEqual([...new Set(all)], [])
  } finally {
    api.close()
  }
})

it("public modules begin with a comment about the module", () => {
  // With an empty line behind it, or it goes from the types in dist together with an import that they do not need.
  const headless = publicModules().filter((module) =>
    !/^\/\*\*\n \* [^@\n](?:(?!\*\/)[^])* \* @module\n \*\/\n\n(?:im|ex)port /.test(readFileSync(module, "utf8"))
  )
  assert.deepStrictEqual(headless.map((module) => relative(root, module)), [])
})

/** By the module that has the signatures. */
const TYPES_OF_SIGNATURES = {
  Authenticator: ["AuthAttempt"],
  Codec: ["FailureReport", "Flag"],
  Relay: ["ConnectionEnd", "LoginResult"],
  Transport: [
    "CloseReason",
    "DialOptions",
    "ListenerOptions",
    "ProxyHeaderFailure",
    "ProxyOptions",
    "WebSocketListenOptions",
    "WebSocketRefusal"
  ]
}

it("types that public signatures use can be named, from the module and from the package", () => {
  const api = new API({ cwd: root })
  try {
    const project = api.updateSnapshot({ openProjects: [join(root, "tsconfig.build.json")] }).getProjects()[0]
    assert(project !== undefined)
    const exportsOf = (module: string): ReadonlySet<string> => {
      const file = project.program.getSourceFile(join(src, `${module}.ts`))
      const symbol = file === undefined ? undefined : project.checker.getSymbolAtLocation(file)
      assert(symbol !== undefined, `${module} is no module`)
      return new Set(project.checker.getExportsOfModule(symbol).map(({ name }) => name))
    }
    const all = exportsOf("index")
    const missing = Object.entries(TYPES_OF_SIGNATURES).flatMap(([module, names]) => {
      const there = exportsOf(module)
      return names.filter((name) => !there.has(name) || !all.has(name))
    })
    assert.deepStrictEqual(missing, [])
  } finally {
    api.close()
  }
})

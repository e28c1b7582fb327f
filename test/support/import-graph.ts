/** Which source file imports which, read off the texts: imports of types, re-exports and later imports count as any other. */
import { posix } from 'node:path'

/** Every file with the files that it imports, as paths from the repository's root with forward slashes. */
export type ImportGraph = ReadonlyMap<string, ReadonlySet<string>>

const IMPORT = /^(?:import|export)\b[^'"=;()]*?\bfrom\s+'([^']+)'|^import\s+'([^']+)'|\bimport\(\s*'([^']+)'/gm

/**
 * @param texts every source file's text by its path
 * @param aliases `imports` of package.json: "#shared/*" → "./src/shared/*.ts"
 */
export function importGraph(
  texts: ReadonlyMap<string, string>,
  aliases: Readonly<Record<string, string>>,
): ImportGraph {
  const graph = new Map<string, Set<string>>()
  for (const [file, text] of texts) {
    const names = [...text.matchAll(IMPORT)].map(([, from, bare, later]) => (from ?? bare ?? later) as string)
    const imported = names.map((name) => fileOf(name, file, texts, aliases)).filter((path) => path !== undefined)
    graph.set(file, new Set(imported))
  }
  return graph
}

/** The source file that an import names; undefined for a package or a file of another kind. */
function fileOf(
  name: string,
  importer: string,
  texts: ReadonlyMap<string, string>,
  aliases: Readonly<Record<string, string>>,
): string | undefined {
  const alias = Object.keys(aliases).find((pattern) => name.startsWith(pattern.replace('*', '')))
  if (alias === undefined && !name.startsWith('.')) return undefined
  const path =
    alias === undefined
      ? posix.join(posix.dirname(importer), name)
      : posix.normalize((aliases[alias] as string).replace('*.ts', name.slice(alias.length - 1)))
  return [path, `${path}.ts`, `${path}.tsx`, `${path}/index.ts`].find((candidate) => texts.has(candidate))
}

/** Circles of imports, each from a file back to itself; empty exactly when there is none. Of circles that share files some may be left out. */
export function circlesIn(graph: ImportGraph): string[][] {
  const circles: string[][] = []
  const done = new Set<string>()
  const walk = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file)
    if (start !== -1) circles.push([...path.slice(start), file])
    if (start !== -1 || done.has(file)) return
    for (const imported of graph.get(file) ?? []) walk(imported, [...path, file])
    done.add(file)
  }
  for (const file of graph.keys()) walk(file, [])
  return circles
}

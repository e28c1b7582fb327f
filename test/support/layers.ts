/** The design's layers, who may import whom, and what their TypeScript projects let through. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { root } from './lode'

/** The engine's folders: each may import those of the steps before its own. handlers stand in the project of engine.ts. */
const ENGINE_ORDER = [
  ['ledger', 'base'],
  ['workers'],
  ['power'],
  ['network', 'models', 'devices', 'drivers'],
  ['benchmark', 'jobs', 'proof', 'mining'],
  ['device-loop'],
  ['handlers'],
]
/** Whom a folder may import of its own step. */
const BESIDE: Record<string, readonly string[]> = { base: ['ledger'], drivers: ['devices'], mining: ['proof'] }
/** Whom a folder may import of other layers, beside shared and process. */
const OUTSIDE: Record<string, readonly string[]> = {
  network: ['coordinator', 'coordinator/sqlite'],
  handlers: ['engine'],
}

const inEngine = (folder: string): string => `engine/${folder}`
export const ENGINE_FOLDERS = ENGINE_ORDER.flat().map(inEngine)
const engineFolders = ENGINE_ORDER.flatMap((step, index) =>
  step.map((folder): [string, string[]] => {
    const before = [...ENGINE_ORDER.slice(0, index).flat(), ...(BESIDE[folder] ?? [])].map(inEngine)
    return [inEngine(folder), ['shared', 'process', ...before, ...(OUTSIDE[folder] ?? [])]]
  }),
)

/** The design's table. A layer may always import itself. `engine` is what stands in no folder of it. */
const ALLOWED: Record<string, readonly string[]> = {
  shared: [],
  process: ['shared'],
  server: ['shared'],
  sensors: ['shared', 'process'],
  coordinator: ['shared'],
  'coordinator/sqlite': ['shared', 'coordinator'],
  worker: ['shared', 'process'],
  ...Object.fromEntries(engineFolders),
  engine: ['shared', 'process', 'coordinator', 'coordinator/sqlite', ...ENGINE_FOLDERS],
  host: ['shared', 'process', 'server', 'engine', ...ENGINE_FOLDERS],
  main: ['shared', 'process', 'host'],
  preload: ['shared'],
  renderer: ['shared'],
  cli: ['shared', 'process', 'server', 'host', 'engine', ...ENGINE_FOLDERS],
}
/** Every layer and folder of the engine, as its path below `src`. */
export const LAYERS = Object.keys(ALLOWED)
/** The layers that the design lets a layer import, beside itself. */
export const mayImport = (layer: string): readonly string[] => ALLOWED[layer] as readonly string[]

/** The TypeScript project that a layer or a file below `src` belongs to: the folder of the nearest tsconfig.json. */
export function projectOf(path: string): string {
  return existsSync(join(root, 'src', path, 'tsconfig.json')) ? path : projectOf(dirname(path))
}
/** The projects that the tsconfig.json of a folder of the repository lists, as paths below `src`. */
export function listedBy(project: string): string[] {
  const text = readFileSync(join(root, project, 'tsconfig.json'), 'utf8')
  const { references } = JSON.parse(text) as { references: { path: string }[] }
  return references.map(({ path }) => posix.join(project, path).replace(/^src\//, ''))
}
const LISTED = new Map(LAYERS.map((layer) => [layer, listedBy(`src/${projectOf(layer)}`)]))
/** The projects that a layer's project lists. */
export const listed = (layer: string): string[] => LISTED.get(layer) ?? []

/** The compiler lets a project import what it lists, and what those list in turn. */
export function visible(layer: string): Set<string> {
  const projects = new Set([projectOf(layer)])
  for (const project of projects) for (const next of listed(project)) projects.add(next)
  return new Set(LAYERS.filter((other) => projects.has(projectOf(other))))
}
/** What a layer may not import and its compiler lets through: lint keeps these apart. */
export const seenThrough = (layer: string): string[] =>
  [...visible(layer)].filter((other) => other !== layer && !mayImport(layer).includes(other))

/** `imports` of package.json: "#shared/*" → "./src/shared/*.ts". */
export const { imports: aliases } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  imports: Record<string, string>
}

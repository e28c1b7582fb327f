/** What the sources import: no circle, and no other project but those that a project lists. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { expect, test } from 'vitest'
import { circlesIn, importGraph, type ImportGraph } from '../support/import-graph'
import { aliases, listed, projectOf } from '../support/layers'
import { root } from '../support/lode'

const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file))
  .map((file) => `src/${file.replaceAll(sep, '/')}`)
const graph = importGraph(new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')])), aliases)

/** Imports of another project that the importer's tsconfig.json does not list, though the compiler may let them through. */
function unlisted(of: ImportGraph): string[] {
  const project = (file: string): string => projectOf(dirname(file.replace(/^src\//, '')))
  return [...of].flatMap(([file, imported]) =>
    [...imported]
      .filter((path) => project(path) !== project(file) && !listed(project(file)).includes(project(path)))
      .map((path) => `${file} imports ${path}`),
  )
}

test('no file imports itself in a circle, by types neither', () => {
  expect(graph.get('src/engine/engine.ts')).toContain('src/engine/device-loop/index.ts')
  expect(circlesIn(graph)).toEqual([])
})

test('a project lists every project that it imports', () => {
  expect(unlisted(new Map([...graph].filter(([file]) => !file.includes('.test.'))))).toEqual([])
  const made = new Map([['src/engine/mining/mining.ts', new Set(['src/engine/network/link.ts'])]])
  expect(unlisted(made)).toEqual(['src/engine/mining/mining.ts imports src/engine/network/link.ts'])
})

test('a circle is found, whichever way a file is imported', () => {
  const of = (texts: Record<string, string>): string[][] =>
    circlesIn(importGraph(new Map(Object.entries(texts)), aliases))
  const chain = {
    'src/shared/one.ts': "import { z } from 'zod'\nimport {\n  a,\n  b, // why\n} from './two'\n",
    'src/shared/two.tsx': "/** From 'here'. */\nexport * from '#shared/three/index'\n",
    'src/shared/three/index.ts': "import '../four'\n",
    'src/shared/four.ts': "export const later = () => import('./five')\n",
    'src/shared/five.ts': 'export const last = 5\n',
  }
  const circle = ['src/shared/one.ts', 'src/shared/two.tsx', 'src/shared/three/index.ts', 'src/shared/four.ts']
  expect(of(chain)).toEqual([])
  for (const back of [
    "import type { A } from './one'\n",
    "export type { A } from './one'\n",
    "export const first = (): Promise<unknown> => import('#shared/one')\n",
    "export type First = typeof import('./one')\n",
  ])
    expect(of({ ...chain, 'src/shared/five.ts': back })).toEqual([[...circle, 'src/shared/five.ts', circle[0]]])
})

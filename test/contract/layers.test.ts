/** Who may import whom: in a copy of the sources, every import that the design does not allow fails to compile, or fails lint. */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { root, temporaryFolder } from '../support/lode'

/** The design's table. A layer may always import itself. */
const ALLOWED = {
  shared: [],
  process: ['shared'],
  server: ['shared'],
  sensors: ['shared', 'process'],
  pool: ['shared'],
  worker: ['shared', 'process'],
  engine: ['shared', 'process', 'pool'],
  main: ['shared', 'process', 'engine'],
  preload: ['shared'],
  renderer: ['shared'],
  cli: ['shared', 'process', 'server', 'engine', 'pool'],
} as const satisfies Record<string, readonly string[]>
type Layer = keyof typeof ALLOWED
const LAYERS = Object.keys(ALLOWED) as Layer[]

/** Packages that belong to few layers. In the engine only two folders may have SQLite: lint sees to that, below. */
const PACKAGES: Record<string, readonly Layer[]> = {
  electron: ['main', 'preload'],
  'better-sqlite3': ['engine'],
  'onnxruntime-node': ['worker'],
  'node:fs': ['process', 'server', 'sensors', 'pool', 'worker', 'engine', 'main', 'preload', 'cli'],
}
/** Its types bring Node's along, so the compiler cannot tell them apart there; the window's sandbox refuses them at run time. */
const WITH_ELECTRON: readonly Layer[] = ['main', 'preload']

/** The compiler sees what a referenced layer itself refers to: lint keeps these apart. */
const SEEN_THROUGH: Partial<Record<Layer, readonly Layer[]>> = { main: ['pool'] }

const require = createRequire(import.meta.url)
const program = (name: string, file: string): string => join(dirname(require.resolve(`${name}/package.json`)), file)
const copy = temporaryFolder()

beforeAll(() => {
  for (const entry of ['src', 'types', 'resources', 'package.json', 'tsconfig.base.json', '.oxlintrc.json']) {
    cpSync(join(root, entry), join(copy, entry), { recursive: true, filter: (file) => !/\.test\.tsx?$/.test(file) })
  }
  // A .gitignore above the temporary folder must not hide the copy from lint.
  mkdirSync(join(copy, '.git'))
  for (const layer of LAYERS) {
    for (const form of ['path', 'type', 'alias'])
      writeFileSync(join(copy, 'src', layer, `imported-${form}.ts`), 'export const value: number = 1\n')
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'junction')
})

function run(file: string, options: readonly string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...options], { cwd: copy, encoding: 'utf8' })
  return { status, output: `${stdout}${stderr}` }
}

/** Puts the files into the copy's sources, runs a program there, and takes them out again. */
function runWith(
  files: Record<string, string>,
  ...[file, options]: Parameters<typeof run>
): { status: number | null; output: string } {
  try {
    for (const [path, text] of Object.entries(files)) writeFileSync(join(copy, 'src', path), text)
    const { status, output } = run(file, options)
    return { status, output: output.replaceAll(sep, '/') }
  } finally {
    for (const path of Object.keys(files)) rmSync(join(copy, 'src', path), { force: true })
  }
}

/** The paths below `src` that the pattern finds in an output, each once. */
const pathsIn = (output: string, pattern: RegExp): string[] =>
  [...new Set([...output.matchAll(pattern)].map(([, path]) => path as string))].toSorted()

const aliases = Object.keys(
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { imports: Record<string, string> }).imports,
)
const hasAlias = (layer: Layer): boolean => aliases.includes(`#${layer}/*`)

/** One file an import: by relative path, as types only, and by alias where there is one. Each has its own module to import, so that each has its own error. */
function imports(into: Layer, of: Layer): Record<string, string> {
  const from = (form: string, path: string): string => `from '${path}/imported-${form}'`
  return {
    [`${into}/path-${of}.ts`]: `import { value } ${from('path', `../${of}`)}\nexport const used: number = value\n`,
    [`${into}/type-${of}.ts`]: `import type { value } ${from('type', `../${of}`)}\nexport type Used = typeof value\n`,
    ...(hasAlias(of)
      ? {
          [`${into}/alias-${of}.ts`]: `import { value } ${from('alias', `#${of}`)}\nexport const used: number = value\n`,
        }
      : {}),
  }
}

/** What a layer may import. */
const allowed = (layer: Layer): Record<string, string> =>
  Object.assign({}, ...ALLOWED[layer].map((of) => imports(layer, of))) as Record<string, string>

/** What it may not: every other layer, and the packages that are not its own. */
function forbidden(layer: Layer): Record<string, string> {
  const mayImport: readonly Layer[] = ALLOWED[layer]
  const layers = LAYERS.filter(
    (other) => other !== layer && !mayImport.includes(other) && !SEEN_THROUGH[layer]?.includes(other),
  )
  const packages = Object.keys(PACKAGES).filter(
    (name) => !PACKAGES[name]?.includes(layer) && !(name.startsWith('node:') && WITH_ELECTRON.includes(layer)),
  )
  return {
    ...(Object.assign({}, ...layers.map((of) => imports(layer, of))) as Record<string, string>),
    ...Object.fromEntries(
      packages.flatMap((name) => {
        const file = `${layer}/${name.replace(':', '-')}`
        return [
          [`${file}.ts`, `import * as other from '${name}'\nexport const used: unknown = other\n`],
          [`${file}-later.ts`, `export const used = (): Promise<unknown> => import('${name}')\n`],
        ]
      }),
    ),
  }
}

describe('the compiler, over all layers at once', () => {
  const all = (of: (layer: Layer) => Record<string, string>): Record<string, string> =>
    Object.assign({}, ...LAYERS.map(of)) as Record<string, string>
  const compile = (files: Record<string, string>): { faulty: string[]; status: number | null } => {
    const projects = LAYERS.map((layer) => join('src', layer))
    const { status, output } = runWith(files, program('typescript', 'bin/tsc'), [
      '-b',
      '--pretty',
      'false',
      ...projects,
    ])
    return { faulty: pathsIn(output, /^src\/([\w./-]+)\(\d+,\d+\): error TS/gm), status }
  }

  test('takes every import that the design allows', () => {
    expect(compile(all(allowed))).toEqual({ faulty: [], status: 0 })
  })

  test('takes no other layer or package', () => {
    const files = all(forbidden)
    const { faulty, status } = compile(files)
    for (const layer of LAYERS) {
      const inLayer = (path: string): boolean => path.startsWith(`${layer}/`)
      expect({ layer, faulty: faulty.filter(inLayer) }).toEqual({
        layer,
        faulty: Object.keys(files).filter(inLayer).toSorted(),
      })
    }
    expect(faulty).toEqual(Object.keys(files).toSorted())
    expect(status).not.toBe(0)
  })
})

describe('lint, over all files at once', () => {
  const using = (name: string): string => `import * as other from '${name}'\n\nexport const used: unknown = other\n`
  const files: [title: string, file: string, text: string, refused: boolean][] = [
    ...(
      [
        ['engine/work/new.ts', '../ledger/sums', true],
        ['engine/work/new.ts', '#engine/ledger/sums', true],
        ['engine/work/new.ts', '../ledger', false],
        ['engine/work/new.ts', '../ledger/index', false],
        ['engine/ledger/new.ts', './sums', false],
        ['engine/work/new.ts', 'better-sqlite3', true],
        ['engine/ledger/new.ts', 'better-sqlite3', false],
        ['engine/networks/practice/new.ts', 'better-sqlite3', false],
      ] as const
    ).map(([file, name, refused]): [string, string, string, boolean] => [
      `${file} importing ${name}`,
      file,
      using(name),
      refused,
    ]),
    [
      'a bare import of Electron, which the compiler lets through, in the engine',
      'engine/work/new.ts',
      "import 'electron'\n",
      true,
    ],
    ['a bare import of Electron in the page', 'renderer/new.ts', "import 'electron'\n", true],
    ['a bare import of Electron in the shell', 'main/new.ts', "import 'electron'\n", false],
    ['the coordinator in the shell', 'main/new.ts', using('#pool/units'), true],
    ['the engine in the shell', 'main/new.ts', using('../engine/engine'), true],
    [
      'types of the engine in the shell',
      'main/new.ts',
      "import type { Engine } from '#engine/engine'\n\nexport type Used = Engine\n",
      false,
    ],
  ]
  /** Each under a name of its own. */
  const paths = files.map(([, file], index) => file.replace('new.ts', `new-${index}.ts`))
  let refusals: string[]

  beforeAll(() => {
    const texts = Object.fromEntries(files.map(([, , text], index) => [paths[index] as string, text]))
    const options = ['--format', 'unix', ...paths.map((path) => join('src', path))]
    const { output } = runWith(texts, program('oxlint', 'bin/oxlint'), options)
    const complaints = output.split('\n').filter((line) => /^\S+:\d+:\d+:/.test(line))
    const others = complaints.filter((line) => !line.includes('no-restricted-imports'))
    if (others.length > 0) throw new Error(`refused for something else:\n${others.join('\n')}`)
    refusals = pathsIn(output, /^(?:.*\/)?src\/([\w./-]+):\d+:\d+:/gm)
  })

  test.each(files.map(([title, , , refused], index) => ({ title, refused, path: paths[index] as string })))(
    '$title: refused $refused',
    ({ path, refused }) => {
      expect(existsSync(join(copy, 'src/engine/ledger/sums.ts'))).toBe(true)
      expect(refusals.includes(path)).toBe(refused)
    },
  )
})

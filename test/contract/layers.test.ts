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

/** Compiles a layer with the given files in it; returns the names of those that have an error. */
function compile(layer: Layer, files: Record<string, string>): { faulty: string[]; status: number | null } {
  const folder = join(copy, 'src', layer)
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const { status, output } = run(program('typescript', 'bin/tsc'), ['-b', '--pretty', 'false', join('src', layer)])
    const pattern = new RegExp(`^src/${layer}/([\\w.-]+)\\(\\d+,\\d+\\): error TS`, 'gm')
    const faulty = [...new Set([...output.replaceAll(sep, '/').matchAll(pattern)].map(([, name]) => name as string))]
    return { faulty: faulty.toSorted(), status }
  } finally {
    for (const name of Object.keys(files)) rmSync(join(folder, name), { force: true })
  }
}

const aliases = Object.keys(
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { imports: Record<string, string> }).imports,
)
const hasAlias = (layer: Layer): boolean => aliases.includes(`#${layer}/*`)

/** One file an import: by relative path, as types only, and by alias where there is one. Each has its own module to import, so that each has its own error. */
function imports(of: Layer): Record<string, string> {
  const from = (form: string, path: string): string => `from '${path}/imported-${form}'`
  return {
    [`path-${of}.ts`]: `import { value } ${from('path', `../${of}`)}\nexport const used: number = value\n`,
    [`type-${of}.ts`]: `import type { value } ${from('type', `../${of}`)}\nexport type Used = typeof value\n`,
    ...(hasAlias(of)
      ? { [`alias-${of}.ts`]: `import { value } ${from('alias', `#${of}`)}\nexport const used: number = value\n` }
      : {}),
  }
}

describe.each(LAYERS)('%s', (layer) => {
  const allowed: readonly Layer[] = ALLOWED[layer]

  test('compiles what it may import', () => {
    const files = Object.assign({}, ...allowed.map(imports)) as Record<string, string>
    expect(compile(layer, files)).toMatchObject({ faulty: [], status: 0 })
  })

  test('does not compile any other layer or package', () => {
    const layers = LAYERS.filter(
      (other) => other !== layer && !allowed.includes(other) && !SEEN_THROUGH[layer]?.includes(other),
    )
    const packages = Object.keys(PACKAGES).filter(
      (name) => !PACKAGES[name]?.includes(layer) && !(name.startsWith('node:') && WITH_ELECTRON.includes(layer)),
    )
    const files = {
      ...(Object.assign({}, ...layers.map(imports)) as Record<string, string>),
      ...Object.fromEntries(
        packages.flatMap((name) => [
          [`${name.replace(':', '-')}.ts`, `import * as other from '${name}'\nexport const used: unknown = other\n`],
          [`${name.replace(':', '-')}-later.ts`, `export const used = (): Promise<unknown> => import('${name}')\n`],
        ]),
      ),
    }
    const { faulty, status } = compile(layer, files)
    expect(faulty).toEqual(Object.keys(files).toSorted())
    expect(status).not.toBe(0)
  })
})

describe('lint', () => {
  /** Lints one new file and says whether it was refused. */
  const isRefused = (file: string, text: string): boolean => {
    const path = join(copy, 'src', file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    try {
      const { status, output } = run(program('oxlint', 'bin/oxlint'), ['--format', 'unix', join('src', file)])
      if (status !== 0) expect(output).toContain('no-restricted-imports')
      return status !== 0
    } finally {
      rmSync(path)
    }
  }
  const using = (name: string): string => `import * as other from '${name}'\n\nexport const used: unknown = other\n`

  test.each([
    ['engine/work/new.ts', '../ledger/sums', true],
    ['engine/work/new.ts', '#engine/ledger/sums', true],
    ['engine/work/new.ts', '../ledger', false],
    ['engine/work/new.ts', '../ledger/index', false],
    ['engine/ledger/new.ts', './sums', false],
    ['engine/work/new.ts', 'better-sqlite3', true],
    ['engine/ledger/new.ts', 'better-sqlite3', false],
    ['engine/networks/practice/new.ts', 'better-sqlite3', false],
  ])('%s importing %s: refused %s', (file, name, refused) => {
    expect(existsSync(join(copy, 'src/engine/ledger/sums.ts'))).toBe(true)
    expect(isRefused(file, using(name))).toBe(refused)
  })

  test('a bare import of Electron, which the compiler lets through, is refused outside the shell', () => {
    expect(isRefused('engine/work/new.ts', "import 'electron'\n")).toBe(true)
    expect(isRefused('renderer/new.ts', "import 'electron'\n")).toBe(true)
    expect(isRefused('main/new.ts', "import 'electron'\n")).toBe(false)
  })

  test('the shell has no coordinator, and only types of the engine', () => {
    expect(isRefused('main/new.ts', using('#pool/units'))).toBe(true)
    expect(isRefused('main/new.ts', using('../engine/engine'))).toBe(true)
    expect(
      isRefused('main/new.ts', "import type { Engine } from '#engine/engine'\n\nexport type Used = Engine\n"),
    ).toBe(false)
  })
})

/** Who may import whom: in a copy of the projects, every import that the design does not allow fails to compile, or fails lint. */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, posix, sep } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  aliases,
  ENGINE_FOLDERS,
  LAYERS,
  listed,
  listedBy,
  mayImport,
  projectOf,
  seenThrough,
  visible,
} from '../support/layers'
import { root, temporaryFolder } from '../support/lode'

/** Packages that belong to few layers. */
const PACKAGES: Record<string, readonly string[]> = {
  electron: ['main', 'preload'],
  'better-sqlite3': ['engine/ledger', 'coordinator/sqlite'],
  'onnxruntime-node': ['worker'],
  webgpu: ['worker'],
  'node:fs': LAYERS.filter((layer) => !['shared', 'preload', 'renderer'].includes(layer)),
}
/** Its types bring Node's along, so the compiler cannot tell them apart there; the window's sandbox refuses them at run time. */
const WITH_ELECTRON: readonly string[] = ['main', 'preload']

const require = createRequire(import.meta.url)
const program = (name: string, file: string): string => join(dirname(require.resolve(`${name}/package.json`)), file)
const copy = temporaryFolder()

beforeAll(() => {
  for (const entry of ['types', 'package.json', 'tsconfig.base.json', '.oxlintrc.json'])
    cpSync(join(root, entry), join(copy, entry), { recursive: true })
  // Who sees whom is said by the projects and by declarations; what the sources do is left out, for it takes long to compile.
  for (const folder of LAYERS) mkdirSync(join(copy, 'src', folder), { recursive: true })
  for (const file of readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }))
    if (/(^|[/\\])tsconfig\.json$|\.d\.ts$/.test(file)) cpSync(join(root, 'src', file), join(copy, 'src', file))
  // A .gitignore above the temporary folder must not hide the copy from lint.
  mkdirSync(join(copy, '.git'))
  for (const layer of LAYERS) {
    for (const form of ['path', 'type', 'alias'])
      for (const module of [form, `${form}-again`])
        writeFileSync(join(copy, 'src', layer, `imported-${module}.ts`), 'export const value: number = 1\n')
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

const hasAlias = (layer: string): boolean => `#${layer.replace(/\/.*/, '')}/*` in aliases

/** One file an import: by relative path, as types only, and by alias where there is one. Each has its own module to import, so that each has its own error: the compiler complains once a project. */
function imports(into: string, of: string): Record<string, string> {
  const file = (form: string): string => `${into}/${form}-${of.replace('/', '-')}.ts`
  const folder = posix.relative(into, of)
  // handlers share a project with engine.ts
  const module = projectOf(into) === into ? '' : '-again'
  const from = (form: string, path: string): string => `from '${path}/imported-${form}${module}'`
  const path = folder.startsWith('.') ? folder : `./${folder}`
  return {
    [file('path')]: `import { value } ${from('path', path)}\nexport const used: number = value\n`,
    [file('type')]: `import type { value } ${from('type', path)}\nexport type Used = typeof value\n`,
    ...(hasAlias(of)
      ? { [file('alias')]: `import { value } ${from('alias', `#${of}`)}\nexport const used: number = value\n` }
      : {}),
  }
}
const importsOfAll = (into: string, of: readonly string[]): Record<string, string> =>
  Object.assign({}, ...of.map((other) => imports(into, other))) as Record<string, string>

/** What a layer may import and its project can see: a folder of the engine lists of those before it what it uses today. */
const allowed = (layer: string): Record<string, string> =>
  importsOfAll(
    layer,
    mayImport(layer).filter((of) => visible(layer).has(of)),
  )

/** The layers that it may not import, but for those that lint keeps apart. */
const forbiddenLayers = (layer: string): string[] =>
  LAYERS.filter((other) => other !== layer && !mayImport(layer).includes(other) && !visible(layer).has(other))

/** What a layer may not import: these layers, and the packages that are not its own. */
function forbidden(layer: string): Record<string, string> {
  const packages = Object.keys(PACKAGES).filter(
    (name) => !PACKAGES[name]?.includes(layer) && !(name.startsWith('node:') && WITH_ELECTRON.includes(layer)),
  )
  return {
    ...importsOfAll(layer, forbiddenLayers(layer)),
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

describe('projects', () => {
  const projects = LAYERS.filter((layer) => projectOf(layer) === layer).toSorted()

  test('every folder of sources is in the table, and compiled', () => {
    const folders = (under: string): string[] =>
      readdirSync(join(root, 'src', under), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => posix.join(under, entry.name))
    const found = [...folders(''), ...folders('engine'), 'coordinator/sqlite']
    expect(LAYERS.toSorted()).toEqual(found.toSorted())
    expect(
      listedBy('.')
        .filter((path) => path !== 'test')
        .toSorted(),
    ).toEqual(projects)
  })

  test('each lists only what it may import', () => {
    const wrong = projects.flatMap((project) =>
      listed(project)
        .filter((other) => !mayImport(project).includes(other))
        .map((other) => `${project} lists ${other}`),
    )
    expect(wrong).toEqual([])
  })

  test('none of the engine sees a folder of it that its place forbids', () => {
    const seen = ENGINE_FOLDERS.flatMap((folder) =>
      seenThrough(folder)
        .filter((other) => other.startsWith('engine'))
        .map((other) => `${folder} sees ${other}`),
    )
    expect(seen).toEqual([])
    expect(ENGINE_FOLDERS.filter((folder) => forbiddenLayers(folder).length < 3)).toEqual([])
  })
})

describe('the compiler, over all layers at once', () => {
  const all = (of: (layer: string) => Record<string, string>): Record<string, string> =>
    Object.assign({}, ...LAYERS.map(of)) as Record<string, string>
  const compile = (files: Record<string, string>): { faulty: string[]; status: number | null } => {
    const projects = [...new Set(LAYERS.map(projectOf))].map((project) => join('src', project))
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
      const inLayer = (path: string): boolean => dirname(path) === layer
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
        ['engine/jobs/new.ts', '../ledger/sums', true],
        ['engine/jobs/new.ts', '#engine/ledger/sums', true],
        ['engine/jobs/new.ts', '../ledger', false],
        ['engine/jobs/new.ts', '../ledger/index', false],
        ['engine/network/new.ts', '../ledger/sums', true],
        ['engine/network/new.ts', '../ledger', false],
        ['engine/base/new.ts', '../ledger/sums', true],
        ['engine/handlers/new.ts', '../ledger/sums', true],
        ['engine/handlers/new.ts', '../ledger', false],
        ['engine/handlers/new.ts', '../context', false],
        ['engine/ledger/new.ts', './sums', false],
        ['engine/ledger/new.ts', '../base/settings', true],
        ['engine/new.ts', './ledger/sums', true],
        ['engine/new.ts', '#engine/ledger/sums', true],
        ['engine/new.ts', './ledger', false],
        ['engine/new.ts', './context', false],
        ['engine/new.ts', '#coordinator/coordinator', false],
        ['engine/network/new.ts', '#coordinator/coordinator', false],
        ...['cli', 'host'].flatMap(
          (layer) =>
            [
              [`${layer}/new.ts`, '#engine/ledger/sums', true],
              [`${layer}/new.ts`, '../engine/ledger/sums', true],
              [`${layer}/new.ts`, '#engine/ledger/index', false],
              [`${layer}/new.ts`, '#engine/engine', false],
              [`${layer}/new.ts`, '#engine/context', false],
            ] as const,
        ),
        ['cli/new.ts', '#host/paths', false],
        ['main/new.ts', '#host/paths', true],
        ['main/new.ts', '#engine/ledger/sums', true],
        ['main/new.ts', '#engine/ledger/index', true],
        ['engine/jobs/new.ts', 'better-sqlite3', true],
        ['engine/network/new.ts', 'better-sqlite3', true],
        ['engine/new.ts', 'better-sqlite3', true],
        ['coordinator/new.ts', 'better-sqlite3', true],
        ['engine/ledger/new.ts', 'better-sqlite3', false],
        ['coordinator/sqlite/new.ts', 'better-sqlite3', false],
      ] as const
    ).map(([file, name, refused]): [string, string, string, boolean] => [
      `${file} importing ${name}`,
      file,
      using(name),
      refused,
    ]),
    ...LAYERS.map((layer): [string, string, string, boolean] => [
      `${layer}: a bare import of Electron, which the compiler lets through`,
      `${layer}/new.ts`,
      "import 'electron'\n",
      !PACKAGES['electron']?.includes(layer),
    ]),
    [
      'types of host in the shell',
      'main/new.ts',
      "import type { HostedEngine } from '#host/engine-host'\n\nexport type Used = HostedEngine\n",
      false,
    ],
  ]
  const through = Object.assign({}, ...LAYERS.map((layer) => importsOfAll(layer, seenThrough(layer)))) as Record<
    string,
    string
  >
  /** Each under a name of its own. */
  const paths = files.map(([, file], index) => file.replace('new.ts', `new-${index}.ts`))
  let refusals: string[]

  beforeAll(() => {
    const texts = Object.fromEntries(files.map(([, , text], index) => [paths[index] as string, text]))
    const options = ['--format', 'unix', ...[...paths, ...Object.keys(through)].map((path) => join('src', path))]
    const { output } = runWith({ ...texts, ...through }, program('oxlint', 'bin/oxlint'), options)
    const complaints = output.split('\n').filter((line) => /^\S+:\d+:\d+:/.test(line))
    const others = complaints.filter((line) => !line.includes('no-restricted-imports'))
    if (others.length > 0) throw new Error(`refused for something else:\n${others.join('\n')}`)
    refusals = pathsIn(output, /^(?:.*\/)?src\/([\w./-]+):\d+:\d+:/gm)
  })

  test.each(files.map(([title, , , refused], index) => ({ title, refused, path: paths[index] as string })))(
    '$title: refused $refused',
    ({ path, refused }) => {
      expect(existsSync(join(root, 'src/engine/ledger/sums.ts'))).toBe(true)
      expect(refusals.includes(path)).toBe(refused)
    },
  )

  test('refuses what the compiler lets through', () => {
    expect(refusals.filter((path) => path in through)).toEqual(Object.keys(through).toSorted())
    expect(Object.keys(through)).toContain('engine/jobs/type-coordinator.ts')
    expect(Object.keys(through)).toContain('main/path-engine.ts')
  })
})

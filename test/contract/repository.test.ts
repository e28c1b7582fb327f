/** What a clone promises: an installation that is the same everywhere, documents that say what is there, files that can be read. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, sep } from 'node:path'
import { describe, expect, test } from 'vitest'
import { lode, root, temporaryFolder } from '../support/lode'

const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const filesUnder = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .replaceAll(sep, '/'),
    )

interface Package {
  version?: string
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}
const manifest = JSON.parse(read('package.json')) as Package & { scripts: Record<string, string> }

describe('installation', () => {
  const lockFile = read('package-lock.json')
  const { packages } = JSON.parse(lockFile) as { packages: Record<string, Package> }

  test('the lock file holds no download address', () => {
    expect(lockFile).not.toContain('"resolved"')
    expect(lockFile.match(/https?:\/\/[^"/]+\/[^"]*\.tgz/)).toBeNull()
  })

  test('every version in package.json is exact', () => {
    const wanted = { ...manifest.dependencies, ...manifest.devDependencies }
    expect(Object.entries(wanted).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
    expect(packages['']).toMatchObject({
      dependencies: manifest.dependencies,
      devDependencies: manifest.devDependencies,
    })
  })

  test("the lock file has every system's package of every tool, or npm ci refuses it elsewhere", () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies }]) =>
      Object.keys(optionalDependencies ?? {})
        .filter((name) => !placesOf(path, name).some((place) => packages[place]?.version !== undefined))
        .map((name) => `${path} wants ${name}`),
    )
    expect(missing).toEqual([])
  })

  /** Where Node would look for a package, seen from another, nearest first. */
  function placesOf(from: string, name: string): string[] {
    const [, ...parents] = from.split('node_modules/').map((part) => part.replace(/\/$/, ''))
    const chains = parents.map((_, index) => parents.slice(0, parents.length - index))
    return [...chains, []].map((chain) => [...chain, name].map((part) => `node_modules/${part}`).join('/'))
  }
})

describe('sources', () => {
  const written = ['src', 'scripts'].flatMap(filesUnder).filter((file) => !/\.(css|json|po|svg)$/.test(file))

  test('no file is too long to be read in one sitting', () => {
    const long = written
      .filter((file) => !file.includes('.test.'))
      .map((file) => ({ file, lines: read(file).split('\n').length }))
      .filter(({ lines }) => lines > 400)
    expect(long).toEqual([])
  })

  test('nothing is left for later', () => {
    const left = written.flatMap((file) =>
      read(file)
        .split('\n')
        .flatMap((line, index) => (/\b(TODO|FIXME|XXX)\b/.test(line) ? [`${file}:${index + 1}`] : [])),
    )
    expect(left).toEqual([])
  })
})

describe('documents', () => {
  const documents = ['README.md', 'CONTRIBUTING.md', ...filesUnder('docs').filter((file) => file.endsWith('.md'))]

  test.each(documents)('%s names scripts and files that exist', (document) => {
    const text = read(document)
    const scripts = [...text.matchAll(/\bnpm (?:run (?:-s )?)?([\w:-]+)/g)]
      .filter(([whole, name]) => whole.includes(' run ') || name === 'start' || name === 'test')
      .map(([, name]) => name as string)
    expect(scripts.filter((name) => manifest.scripts[name] === undefined)).toEqual([])

    const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target]) => target as string)
    const beside = (target: string): string => join(root, document, '..', target)
    expect(links.filter((target) => !/^[a-z]+:/.test(target) && !existsSync(beside(target)))).toEqual([])

    const paths = [...text.matchAll(/`((?:src|test|docs|scripts|resources|\.ci)\/[\w./-]+\.\w+)`/g)].map(
      ([, path]) => path,
    )
    expect(paths.filter((path) => !existsSync(join(root, path as string)))).toEqual([])
  })

  test.each(Object.entries(manifest.scripts))('the script %s runs a file that exists: %s', (_name, command) => {
    const file = /^node (\S+)/.exec(command)?.[1]
    if (file === undefined) expect(['tsc', 'oxlint', 'oxfmt', 'lingui']).toContain(command.split(' ')[0])
    else expect(existsSync(join(root, file))).toBe(true)
  })

  test('every benchmark has its command, and the command its benchmark', () => {
    // What lies in folders is what benchmarks compare with.
    const benchmarks = readdirSync(join(root, 'test/bench')).flatMap((file) =>
      file.endsWith('.ts') ? [basename(file, '.ts')] : [],
    )
    const named = documents.flatMap((document) =>
      [...read(document).matchAll(/npm run bench -- ([a-z]\w*)/g)].map(([, name]) => name as string),
    )
    expect([...new Set(named)].toSorted()).toEqual(benchmarks.toSorted())
  })
})

describe("the README's commands", () => {
  const folder = temporaryFolder()
  const readme = read('README.md')
  const inTable = [...readme.matchAll(/^\| (`[a-z].*?) +\|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, command]) => command as string),
  )
  /** Each command's line of options, with those that belong to it. */
  const described = [...readme.matchAll(/^- `([a-z ]+)`:((?:.|\n {2})*)/gm)].map(([, command = '', text = '']) => ({
    command,
    options: [...text.matchAll(/--[a-z-]+/g)].map(([option]) => option).toSorted(),
  }))

  test('are all commands and no other', async () => {
    const { stderr } = await lode(folder, ['no-such-command'])
    const commands = /Commands: (.*)\./.exec(stderr)?.[1]?.split(', ') ?? []
    expect(commands.length).toBeGreaterThan(0)
    expect(inTable.toSorted()).toEqual(commands.toSorted())
  })

  test.each(inTable)('%s has the options that are named, and no other', async (command) => {
    const { code, stdout } = await lode(folder, [...command.split(' '), '--help'])
    expect(code).toBe(0)
    const own = [...stdout.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, option]) => option as string)
    const particular = own.filter((option) => option !== '--json' && option !== '--data-dir').toSorted()
    expect(own).toContain('--json')
    expect(described.find((entry) => entry.command === command)?.options ?? []).toEqual(particular)
  })
})

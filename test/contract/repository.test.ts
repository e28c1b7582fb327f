/** What a clone promises: an installation that is the same everywhere, documents that say what is there, files that can be read. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, sep } from 'node:path'
import { describe, expect, test } from 'vitest'
import { lode, root, temporaryFolder } from '../support/lode'
import {
  commentsOf,
  missingCommands,
  missingFiles,
  missingOptions,
  missingScripts,
  missingSections,
  type Existing,
} from '../support/named-things'

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

/** Every file but what is installed and built. */
const files = ((): string[] => {
  const under = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (!entry.isDirectory()) return [path]
      return ['node_modules', 'out', '.git'].includes(entry.name) ? [] : under(path)
    })
  return under('')
})()
const documents = files.filter((file) => /^(README|CONTRIBUTING|CHANGELOG)\.md$|^docs\/[^/]+\.md$/.test(file))
const sources = files.filter((file) => /^(src|test|scripts|native)\//.test(file))
/** Files that people bring, other programs have, or Lode makes while it runs. */
const ELSEWHERE = new Set(
  'card.json driver.json engine.json config.json tokenizer.json tokenizer_config.json llama.cpp ggml-quants.c lvp_icd.json picture.png lines.txt mine.json'.split(
    ' ',
  ),
)
/** Options of npm, git, cmake, pip and llama-gguf-split, and `--name`, which stands for any. */
const FOREIGN_OPTIONS = [
  '--package',
  '--dry-run',
  '--follow-tags',
  '--build',
  '--no-deps',
  '--only-binary',
  '--merge',
  '--name',
]

/** Options of Lode's programs, read from their sources: also those that `--help` does not show. */
function optionsInSources(): string[] {
  const program = (file: string): string[] =>
    [...read(file).matchAll(/'?\b([a-z][a-z-]*)'?: (?:option\b|\{ type: ')|'(--[a-z][a-z-]*)'/g)].map(
      ([, key, option]) => option ?? `--${key}`,
    )
  const command = files
    .filter((file) => file.startsWith('src/cli/'))
    .flatMap((file) => [...read(file).matchAll(/'(--[a-z][a-z-]*)/g)].map(([, option]) => option as string))
  const colours = files
    .filter((file) => file.endsWith('.css'))
    .flatMap((file) => read(file).match(/(?<=^\s*)--[a-z][a-z-]*(?=:)/gm) ?? [])
  return [
    ...command,
    ...colours,
    ...files.filter((file) => /^(scripts|test\/bench)\/[\w-]+\.(mjs|ts)$/.test(file)).flatMap(program),
  ]
}

/** What the built command says of itself: each command with its options. */
async function readCommands(): Promise<Map<string, Set<string>>> {
  const folder = temporaryFolder()
  const { stderr } = await lode(folder, ['no-such-command'])
  const names = /Commands: (.*)\./.exec(stderr)?.[1]?.split(', ') ?? []
  const commands = new Map<string, Set<string>>()
  const ask = async (name: string): Promise<void> => {
    const { code, stdout } = await lode(folder, [...name.split(' '), '--help'])
    expect(code).toBe(0)
    commands.set(
      name,
      new Set([...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, option]) => option as string)),
    )
  }
  // A few at once: each is a process of its own.
  const waiting = [...names]
  const inTurn = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await ask(name)
  }
  await Promise.all([inTurn(), inTurn(), inTurn(), inTurn()])
  return commands
}
const commands = await readCommands()
const existing: Existing = {
  files,
  read,
  scripts: new Set(Object.keys(manifest.scripts)),
  commands,
  options: new Set([
    ...[...commands.values()].flatMap((options) => [...options]),
    '--version',
    ...FOREIGN_OPTIONS,
    ...optionsInSources(),
  ]),
}
const missingNames = (file: string, text: string, of: Existing = existing): string[] => [
  ...missingFiles(file, text, of, ELSEWHERE),
  ...missingSections(file, text, of),
  ...missingScripts(file, text, of),
  ...missingCommands(file, text, of),
  ...missingOptions(file, text, of),
]

describe('names', () => {
  test.each(documents)('%s names files, sections, scripts, commands and options that exist', (document) => {
    expect(missingNames(document, read(document))).toEqual([])
    const links = [...read(document).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target]) => target as string)
    const beside = (target: string): string => join(root, document, '..', target)
    expect(links.filter((target) => !/^[a-z]+:/.test(target) && !existsSync(beside(target)))).toEqual([])
  })

  test('comments name files, sections, scripts, commands and options that exist', () => {
    expect(sources.flatMap((file) => missingNames(file, commentsOf(file, read(file))))).toEqual([])
  })

  test.each([
    ['See src/engine/imaginary.ts.', 'README.md names src/engine/imaginary.ts, and there is no such file'],
    ['All of `src/imaginary` does.', 'README.md names src/imaginary, and there is no such file'],
    ['As in imaginary.md §2.', 'README.md names imaginary.md, and there is no such file'],
    ['As in protocol.md §12.', 'README.md names protocol.md §12, and there is no such section'],
    ['As in docs/protocol.md §§1 to 2, 12.', 'README.md names docs/protocol.md §12, and there is no such section'],
    ['(architecture.md, "Wishing")', 'README.md quotes "Wishing" from architecture.md, and it is not there'],
    ['[There](docs/cli.md#wishes)', 'README.md links to docs/cli.md#wishes, and there is no such heading'],
    ['`npm run imagine`', 'README.md names npm run imagine, and there is no such script'],
    ['`lode imagine`', 'README.md names lode imagine, and there is no such command'],
    ['```\nlode job imagine --kind chat\n```', 'README.md names lode job imagine, and there is no such command'],
    ['`npm run -s lode -- bench --csv`', 'README.md names lode bench --csv, and there is no such option'],
    ['With `--imaginary` it does.', 'README.md names --imaginary, and there is no such option'],
  ])('what does not exist is found: %j', (text, found) => {
    expect(missingNames('README.md', text)).toEqual([found])
  })

  test.each([
    'See src/engine/engine.ts, engine.ts and shared/domain/tiers.ts; a folder: `src/engine/jobs`.',
    'As in protocol.md §§1 to 3, 5 and [there](docs/protocol.md#5-numbers-encodings-identity).',
    '**Planned:** `src/pool`, docs/imaginary.md',
    '`npm run -s lode -- job submit --kind chat --input - --json`, `lode mine | head`, `npm test`',
    'https://example.org/imaginary.md and test/bench/NAME.ts, in Node.js with transformers.js',
  ])('what exists, is planned or elsewhere is not: %j', (text) => {
    expect(missingNames('README.md', text)).toEqual([])
  })

  test('comments are told from code', () => {
    const text =
      "const a = 'src/imaginary.ts' // see engine.ts\n/** store.ts\n * and signal.ts */\nconst b = `http://four.ts`\n"
    expect(commentsOf('a.ts', text).match(/\w+\.ts/g)).toEqual(['engine.ts', 'store.ts', 'signal.ts'])
    expect(commentsOf('a.sql', '-- share.ts\nSELECT 1;')).toContain('share.ts')
  })
})

describe('documents', () => {
  test('one place states the version, and the changelog has it', () => {
    const lockFile = JSON.parse(read('package-lock.json')) as { version: string; packages: Record<string, Package> }
    expect([lockFile.version, lockFile.packages['']?.version]).toEqual([manifest.version, manifest.version])
    const released = [...read('CHANGELOG.md').matchAll(/^## (\d+\.\d+\.\d+) - \d{4}-\d\d-\d\d$/gm)].map(
      ([, version]) => version,
    )
    expect(released[0]).toBe(manifest.version)
    expect(sources.filter((file) => !file.includes('test') && read(file).includes(`'${manifest.version}'`))).toEqual([])
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

describe('the commands', () => {
  const names = [...commands.keys()].toSorted()
  /** Each command's part of docs/cli.md. */
  const parts = read('docs/cli.md')
    .split(/^(?=##)/m)
    .flatMap((part) => {
      const command = /^### `([a-z ]+)`$/m.exec(part)?.[1]
      return command === undefined ? [] : [{ command, part }]
    })

  test('of the README are all commands and no other, one a line', () => {
    const inTable = [...read('README.md').matchAll(/^\| `([a-z][a-z ]*)` +\|/gm)].map(
      ([, command]) => command as string,
    )
    expect(names.length).toBeGreaterThan(0)
    expect(inTable.toSorted()).toEqual(names)
  })

  test('of docs/cli.md are all commands and no other', () => {
    expect(parts.map(({ command }) => command).toSorted()).toEqual(names)
  })

  test.each(parts)('$command has the options that docs/cli.md describes, and no other', ({ command, part }) => {
    const common = ['--json', '--data-dir', '--help']
    const own = [...(commands.get(command) ?? [])]
    expect(own).toEqual(expect.arrayContaining(common))
    const described = [...part.matchAll(/^\| `(--[a-z-]+)/gm)].map(([, option]) => option as string)
    expect(described.toSorted()).toEqual(own.filter((option) => !common.includes(option)).toSorted())
  })
})

/**
 * What documents and comments name: files, sections, npm scripts, commands and their options. Each finder returns the names
 * that do not exist, as sentences of one line. Pure functions of a text and of what exists.
 */
import { posix } from 'node:path'

/** What exists. */
export interface Existing {
  /** every file of the repository, relative to its root, with forward slashes */
  files: readonly string[]
  /** a document's text by its path */
  read: (file: string) => string
  /** names of npm scripts */
  scripts: ReadonlySet<string>
  /** options of each `lode` command, those of every command included: "job submit" → "--kind", … */
  commands: ReadonlyMap<string, ReadonlySet<string>>
  /** options of any program here, and those of others that are named on purpose */
  options: ReadonlySet<string>
}

const COMMENTED = /\.(ts|tsx|mjs|cjs|js|c|cpp|h|css)$/
const BLOCK_COMMENT = /(?<=^|[\s(,{[])\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/ .*$/gm

/** The comments of a source file, one after another; empty for files of kinds without. Their lines stay lines. */
export function commentsOf(file: string, text: string): string {
  if (file.endsWith('.sql'))
    return (
      text
        .match(/^\s*--.*$/gm)
        ?.join('\n')
        .replaceAll(/^\s*--/gm, '') ?? ''
    )
  if (!COMMENTED.test(file)) return ''
  return (text.match(BLOCK_COMMENT) ?? [])
    .map((comment) => comment.replaceAll(/^\s*(\/\*+|\*\/|\*|\/\/) ?/gm, ''))
    .join('\n')
}

/** Paragraphs and rows of a table that speak of what does not exist yet. Headings keep what is under them apart. */
const PLANNED = /\bplanned\b/i
const paragraphs = (text: string): string[] =>
  text.split(/\n(?=\s*\n|\s*[-*|#])/).filter((paragraph) => !PLANNED.test(paragraph))

const EXTENSIONS = 'ts|tsx|mjs|cjs|json|md|css|sql|cpp|c|h|txt|yml|po|html|svg|png|toml'
const FILE_NAME = new RegExp(String.raw`(?<![\w./@<>*:~$-])[\w.@][\w./@-]*\.(?:${EXTENSIONS})(?![\w-]|\.\w|/|\()`, 'g')
const FOLDER = /(?<![\w./@<>*:~$-])(?:src|test|docs|scripts|resources|native|\.ci)\/[\w./@-]*\w/g

/**
 * Files that are named and not there. A name is looked for from the repository's root, beside the file that names it, and
 * as the end of any path; a document without a folder also in docs. `elsewhere`: names of files that are not the repository's.
 */
export function missingFiles(file: string, text: string, existing: Existing, elsewhere: ReadonlySet<string>): string[] {
  const folders = new Set(existing.files.flatMap(foldersOf))
  const isThere = (name: string): boolean => {
    const beside = posix.normalize(posix.join(posix.dirname(file), name))
    return (
      [name, beside].some((path) => existing.files.includes(path) || folders.has(path)) ||
      existing.files.some((path) => path.endsWith(`/${name}`))
    )
  }
  const named = paragraphs(text)
    .map(withoutAddresses)
    .flatMap((paragraph) => [...(paragraph.match(FILE_NAME) ?? []), ...(paragraph.match(FOLDER) ?? [])])
    .map((name) => name.replace(/^\.\//, ''))
    // A word in capitals stands for a name.
    .filter((name) => !/(^|\/)[A-Z][A-Z0-9]*(\.\w+)?($|\/)/.test(name) || existing.files.includes(name))
    .filter((name) => !elsewhere.has(posix.basename(name)))
  return unique(named.filter((name) => !isThere(name))).map(
    (name) => `${file} names ${name}, and there is no such file`,
  )
}

const foldersOf = (file: string): string[] => {
  const parts = file.split('/')
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
}
const withoutAddresses = (text: string): string => text.replaceAll(/\b[a-z]+:\/\/\S+/g, '')

/** References such as "protocol.md §2", "§§1 to 3, 5" or 'architecture.md, "Supervision"' without that section or those words. */
export function missingSections(file: string, text: string, existing: Existing): string[] {
  const found: string[] = []
  const document = (name: string): string | null => {
    const path = [name, `docs/${name}`, posix.normalize(posix.join(posix.dirname(file), name))].find((one) =>
      existing.files.includes(one),
    )
    return path === undefined ? null : existing.read(path)
  }
  for (const [, name = '', list = ''] of text.matchAll(
    /([\w./-]+\.md),?\s+§§?\s*(\d+(?:(?:,| to| and| or)\s*\d+)*)/g,
  )) {
    const body = document(name)
    if (body === null) continue // reported by missingFiles
    const missing = numbersOf(list).filter((number) => !new RegExp(`^## ${number}\\. `, 'm').test(body))
    found.push(...missing.map((number) => `${file} names ${name} §${number}, and there is no such section`))
  }
  for (const [, name = '', words = ''] of text.matchAll(/([\w./-]+\.md)(?: §\d+)?[,:]\s+"([^"\n]+)"/g)) {
    if (document(name)?.includes(words) === false)
      found.push(`${file} quotes "${words}" from ${name}, and it is not there`)
  }
  for (const [, target = '', anchor = ''] of text.matchAll(/\]\(([^)#\s:]*)#([^)\s]+)\)/g)) {
    const body = target === '' ? text : document(target)
    const anchors = [...(body ?? '').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading))
    if (body !== null && !anchors.includes(anchor))
      found.push(`${file} links to ${target}#${anchor}, and there is no such heading`)
  }
  return unique(found)
}

/** "1 to 3, 5" → 1, 2, 3, 5 */
function numbersOf(list: string): number[] {
  return [...list.matchAll(/(\d+)(?:\s*to\s*(\d+))?/g)].flatMap(([, from = '0', to]) =>
    Array.from({ length: Number(to ?? from) - Number(from) + 1 }, (_, index) => Number(from) + index),
  )
}
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-')

/** npm scripts that are named and not there. */
export function missingScripts(file: string, text: string, existing: Existing): string[] {
  const named = [...text.matchAll(/\bnpm (?:run (?:-s )?([a-z][\w:-]*)|(start|test)\b)/g)].map(
    ([, script, short]) => (script ?? short) as string,
  )
  return unique(named.filter((name) => !existing.scripts.has(name))).map(
    (name) => `${file} names npm run ${name}, and there is no such script`,
  )
}

const COMMAND = /(?:(?<=[`"'(|]|^|\n)\s*|-- )lode ([a-z]+)(?: ([a-z]+))?([^`"\n|]*)/g

/** `lode` commands that are named and not there, and options that a command does not have. */
export function missingCommands(file: string, text: string, existing: Existing): string[] {
  const found: string[] = []
  for (const [, first = '', second = '', rest = ''] of asLode(text).matchAll(COMMAND)) {
    const name = [`${first} ${second}`, first].find((one) => existing.commands.has(one))
    const isGroup = second === '' && [...existing.commands.keys()].some((one) => one.startsWith(`${first} `))
    if (name === undefined && !isGroup)
      found.push(`${file} names lode ${first} ${second}`.trimEnd() + ', and there is no such command')
    const has = name === undefined ? undefined : existing.commands.get(name)
    // What follows a second program's name is not the command's.
    const options = rest.split(/ [|&] |[;)]/)[0]?.match(/(?<![\w-])--[a-z][a-z-]*/g) ?? []
    if (has !== undefined)
      found.push(
        ...options
          .filter((option) => !has.has(option))
          .map((option) => `${file} names lode ${name} ${option}, and there is no such option`),
      )
  }
  return unique(found)
}
const asLode = (text: string): string => text.replaceAll(/npm run (?:-s )?lode -- (?=[a-z])/g, '\nlode ')

/** Options of any program that are named and that none here has. */
export function missingOptions(file: string, text: string, existing: Existing): string[] {
  const named = [...withoutAddresses(text).matchAll(/(?<![\w$-])(--[a-z][a-z-]*[a-z])(?![\w-])/g)].map(
    ([, option]) => option as string,
  )
  return unique(named.filter((option) => !existing.options.has(option))).map(
    (option) => `${file} names ${option}, and there is no such option`,
  )
}

const unique = (names: readonly string[]): string[] => [...new Set(names)]

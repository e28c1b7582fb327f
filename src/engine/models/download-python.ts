/**
 * A package's wheel through the machine's own pip, so that its mirrors, proxies and certificates apply. Only wheels: a
 * source package would run its own program while it is fetched.
 */
import { spawn } from 'node:child_process'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { SourceTrouble } from './download-trouble'

const INTERPRETERS = process.platform === 'win32' ? ['py', 'python'] : ['python3']
const PROGRESS_MILLISECONDS = 500
const MAX_COMPLAINT = 4000

/**
 * Fetches `package==version` into `folder`, which is made, and gives the wheel's path. A wheel that is there already is
 * given at once. Throws SourceTrouble, `absent` where there is no Python, or the signal's reason.
 */
export async function fetchWheel(
  wanted: { package: string; version: string },
  folder: string,
  options: { signal: AbortSignal; onBytes(bytes: number): void },
): Promise<string> {
  const before = await wheelIn(folder)
  if (before !== null) return before
  await rm(folder, { recursive: true, force: true })
  const unpacked = join(folder, 'unfinished')
  await mkdir(unpacked, { recursive: true })
  const timer = setInterval(() => {
    sizeOf(folder).then(options.onBytes, () => undefined)
  }, PROGRESS_MILLISECONDS)
  try {
    await runPip(wanted, folder, unpacked, options.signal)
  } finally {
    clearInterval(timer)
    await rm(unpacked, { recursive: true, force: true })
  }
  const wheel = await wheelIn(folder)
  if (wheel === null) throw new SourceTrouble('refused', 'pip gave no package')
  return wheel
}

async function runPip(
  wanted: { package: string; version: string },
  folder: string,
  unpacked: string,
  signal: AbortSignal,
): Promise<void> {
  const pip = [
    '-m',
    'pip',
    'download',
    '--no-deps',
    '--only-binary',
    ':all:',
    '--no-cache-dir',
    '--no-input',
    '--quiet',
  ]
  const where = ['--disable-pip-version-check', '--dest', folder, `${wanted.package}==${wanted.version}`]
  for (const interpreter of INTERPRETERS) {
    const ended = await run(interpreter, [...pip, ...where], unpacked, signal)
    signal.throwIfAborted()
    if (ended === null) continue
    if (ended.code === 0) return
    throw complaint(ended.words)
  }
  throw new SourceTrouble('absent', 'there is no Python on this computer')
}

/** Null where there is no such program. pip writes where TMPDIR says, which is ours to measure and to remove. */
function run(
  program: string,
  args: readonly string[],
  temporary: string,
  signal: AbortSignal,
): Promise<{ code: number | null; words: string } | null> {
  return new Promise((resolve) => {
    const env = { ...process.env, TMPDIR: temporary, TEMP: temporary, TMP: temporary, PYTHONUTF8: '1' }
    const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'], signal, killSignal: 'SIGKILL' })
    let words = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-MAX_COMPLAINT)
    })
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve(null)
      else if (!signal.aborted) resolve({ code: null, words: error.message })
    })
    child.once('close', (code) => resolve({ code, words }))
  })
}

function complaint(words: string): unknown {
  if (/No space left on device/.test(words)) return Object.assign(new Error('no space left'), { code: 'ENOSPC' })
  if (/No module named pip/.test(words)) return new SourceTrouble('absent', 'Python on this computer has no pip')
  if (/No matching distribution|Could not find a version/.test(words)) {
    // pip says the same of an index that it cannot reach.
    const unreachable = /connection|timed? ?out|resolve|network/i.test(words)
    return new SourceTrouble(
      unreachable ? 'passing' : 'refused',
      unreachable ? 'the package index cannot be reached' : 'the package index does not have it',
    )
  }
  const last =
    words
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^ERROR:\s*/, '') ?? ''
  return new SourceTrouble('passing', `pip failed${last === '' ? '' : `: ${last.slice(0, 200)}`}`)
}

async function wheelIn(folder: string): Promise<string | null> {
  const names = await readdir(folder).catch(() => [])
  const wheel = names.find((name) => name.endsWith('.whl'))
  return wheel === undefined ? null : join(folder, wheel)
}

async function sizeOf(folder: string): Promise<number> {
  let sum = 0
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) sum += (await stat(join(entry.parentPath, entry.name)).catch(() => null))?.size ?? 0
  }
  return sum
}

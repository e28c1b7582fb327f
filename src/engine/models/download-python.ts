/**
 * Fetches a package's wheel with the machine's own pip, so that its mirrors, proxies and certificates apply. Only wheels are
 * allowed: a source package would run its own program while it is fetched.
 */
import { spawn } from 'node:child_process'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { message } from '#shared/domain/messages'
import { SourceError } from './download-error'

const INTERPRETERS = process.platform === 'win32' ? ['py', 'python'] : ['python3']
const PROGRESS_MILLISECONDS = 500
const MAX_COMPLAINT = 4000

/**
 * Fetches `package==version` into `folder`, which is made, and gives the wheel's path. A wheel that
 * is there already is returned at once; pip cannot continue a partial wheel, so no part is kept. Throws SourceError, `absent` where there is no Python, or the signal's reason.
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
    // pip copies into its target byte by byte; a wheel in `folder` itself was moved there and is complete.
    await runPip(wanted, unpacked, options.signal)
    const wheel = await wheelIn(unpacked)
    if (wheel !== null) await rename(wheel, join(folder, basename(wheel)))
  } finally {
    clearInterval(timer)
    await rm(unpacked, { recursive: true, force: true })
  }
  const wheel = await wheelIn(folder)
  if (wheel === null) throw new SourceError('refused', message('pip-no-package'))
  return wheel
}

async function runPip(
  wanted: { package: string; version: string },
  folder: string,
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
    signal.throwIfAborted()
    const ended = await run(interpreter, [...pip, ...where], folder, signal)
    signal.throwIfAborted()
    if (ended === null) continue
    if (ended.code === 0) return
    throw complaint(ended.words)
  }
  throw new SourceError('absent', message('pip-no-python'))
}

/**
 * Runs a program; null: there is no such program. pip writes below TMPDIR, a folder that Lode measures and removes. The
 * system's Python may be a launcher whose child is pip: the signal ends the whole group of processes.
 */
function run(
  program: string,
  args: readonly string[],
  temporary: string,
  signal: AbortSignal,
): Promise<{ code: number | null; words: string } | null> {
  return new Promise((resolve) => {
    const env = { ...process.env, TMPDIR: temporary, TEMP: temporary, TMP: temporary, PYTHONUTF8: '1' }
    const detached = process.platform !== 'win32'
    const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'], detached, windowsHide: true })
    const end = (): void => endAll(child.pid)
    signal.addEventListener('abort', end, { once: true })
    let words = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-MAX_COMPLAINT)
    })
    child.once('error', (error: NodeJS.ErrnoException) => {
      signal.removeEventListener('abort', end)
      resolve(error.code === 'ENOENT' ? null : { code: null, words: error.message })
    })
    child.once('close', (code) => {
      signal.removeEventListener('abort', end)
      resolve({ code, words })
    })
  })
}

function endAll(pid: number | undefined): void {
  if (pid === undefined) return
  if (process.platform === 'win32') {
    spawn('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore', windowsHide: true }).once(
      'error',
      () => undefined,
    )
    return
  }
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The process has ended already.
  }
}

function complaint(words: string): unknown {
  if (/No space left on device/.test(words)) return Object.assign(new Error('no space left'), { code: 'ENOSPC' })
  if (/No module named pip/.test(words)) return new SourceError('absent', message('pip-missing'))
  if (/No matching distribution|Could not find a version/.test(words)) {
    // pip says the same of an index that it cannot reach.
    const unreachable = /connection|timed? ?out|resolve|network/i.test(words)
    return unreachable
      ? new SourceError('passing', message('package-index-not-reached'))
      : new SourceError('refused', message('package-index-without'))
  }
  const last =
    words
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^ERROR:\s*/, '') ?? ''
  return new SourceError(
    'passing',
    last === '' ? message('pip-failed') : message('pip-failed-saying', { words: last.slice(0, 200) }),
  )
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

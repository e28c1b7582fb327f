/** Runs the real command as a person would: a process with its own data folder, its answers parsed. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

export const root = resolve(import.meta.dirname, '../..')
const program = join(root, 'out/node/lode.js')

export interface Finished {
  code: number | null
  stdout: string
  stderr: string
  /** standard output as one JSON value */
  json: () => unknown
  /** standard output as one JSON value a line */
  lines: () => Record<string, unknown>[]
}

/** A data folder that is removed at the end of the test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lode-test-'))
  if (folders.push(folder) === 1) process.once('exit', removeFolders)
  return folder
}

const folders: string[] = []
function removeFolders(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}

export function lode(
  dataDir: string,
  args: readonly string[],
  options: { input?: string | Buffer; env?: NodeJS.ProcessEnv } = {},
): Promise<Finished> {
  const child = startLode(dataDir, args, options)
  return finished(child, options.input)
}

/** Starts the command and leaves it running. */
export function startLode(
  dataDir: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv } = {},
): ChildProcess {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: root,
    // What a test does not ask for is not fetched.
    env: { ...process.env, LODE_DATA_DIR: dataDir, LODE_FETCH_MODELS: 'no', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const end = (): void => void child.kill('SIGKILL')
  process.once('exit', end)
  child.once('exit', () => process.off('exit', end))
  return child
}

export function finished(child: ChildProcess, input?: string | Buffer): Promise<Finished> {
  return new Promise((done) => {
    let stdout = ''
    let stderr = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.stdin?.on('error', () => undefined).end(input ?? '')
    child.once('close', (code) =>
      done({
        code,
        stdout,
        stderr,
        json: () => JSON.parse(stdout) as unknown,
        lines: () =>
          stdout
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => JSON.parse(line) as Record<string, unknown>),
      }),
    )
  })
}

export interface Following {
  child: ChildProcess
  events: Record<string, unknown>[]
  stderr: () => string
  /** The first event, past or to come, that fits. Rejects when the command ends before. */
  until: (fits: (event: Record<string, unknown>) => boolean) => Promise<Record<string, unknown>>
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/** Follows the events of `mine --json`. */
export function follow(child: ChildProcess): Following {
  const events: Record<string, unknown>[] = []
  const waiting: {
    fits: (event: Record<string, unknown>) => boolean
    resolve: (event: Record<string, unknown>) => void
    reject: (error: Error) => void
  }[] = []
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  if (child.stdout) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line) as Record<string, unknown>
      events.push(event)
      for (const entry of waiting.filter(({ fits }) => fits(event))) {
        waiting.splice(waiting.indexOf(entry), 1)
        entry.resolve(event)
      }
    })
  }
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolveExit) => {
    child.once('close', (code, signal) => {
      for (const entry of waiting.splice(0))
        entry.reject(new Error(`the command ended (${code ?? signal}) before the event: ${stderr}`))
      resolveExit({ code, signal })
    })
  })
  return {
    child,
    events,
    stderr: () => stderr,
    exited,
    until: (fits) => {
      const past = events.find(fits)
      if (past) return Promise.resolve(past)
      return new Promise((resolveEvent, reject) => waiting.push({ fits, resolve: resolveEvent, reject }))
    },
  }
}

/** Processes that have `text` in their command line or environment: what a test must not leave behind. Linux only. */
export function processesMentioning(text: string): number[] {
  if (!existsSync('/proc')) return []
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .filter((pid) => {
      try {
        return `${readFileSync(`/proc/${pid}/cmdline`, 'utf8')}\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}`.includes(
          text,
        )
      } catch {
        return false
      }
    })
    .map(Number)
}

/** The folder of real models beside the project, or null. */
export function realModel(name: string): string | null {
  const folder = join(root, '../shared/models', name)
  return existsSync(folder) ? folder : null
}

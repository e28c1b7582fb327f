/** The real command at a real pseudo-terminal, by util-linux' `script`. */
import { spawn, spawnSync } from 'node:child_process'
import { root } from './lode'
import { join } from 'node:path'

/** Why there is no terminal here, or null. The `script` of other systems has other options. */
export function whyNoTerminal(): string | null {
  const found = spawnSync('script', ['--version'], { encoding: 'utf8' })
  return /util-linux/.test(found.stdout ?? '') ? null : 'this system has no script command of util-linux'
}

export interface TerminalAnswer {
  code: number | null
  /** everything that the terminal showed: standard output and standard error */
  screen: string
}

/** `type`: what is typed once `prompt` is on the screen; null: the input ends there. */
export function lodeAtTerminal(
  dataDir: string,
  args: readonly string[],
  { prompt, type }: { prompt: string; type: string | null },
): Promise<TerminalAnswer> {
  const words = [process.execPath, join(root, 'out/node/lode.js'), ...args]
  const command = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd: root,
    env: { ...process.env, LODE_DATA_DIR: dataDir, LODE_FETCH_MODELS: 'no' },
  })
  let screen = ''
  let typed = false
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text
    if (typed || !screen.includes(prompt)) return
    typed = true
    if (type === null) child.stdin.end()
    else child.stdin.write(type)
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, screen }))
  })
}

/** What the person gave at start: the data folder, and for work on the engine another Node. */
import { resolve } from 'node:path'

export interface ShellOptions {
  /** absolute; absent means the platform's own place, which the engine knows */
  dataDir?: string
  /** Node that runs the engine and its processes instead of utility processes (LODE_ENGINE_NODE) */
  engineNode?: string
}

/** Unknown arguments are left to Chromium. `--data-dir` wins over LODE_DATA_DIR. Relative folders are relative to `workingFolder`. */
export function readOptions(
  commandLine: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  workingFolder: string,
): ShellOptions {
  const dataDir = lastOption(commandLine, '--data-dir') ?? environment['LODE_DATA_DIR']
  const engineNode = environment['LODE_ENGINE_NODE']
  return {
    ...(dataDir ? { dataDir: resolve(workingFolder, dataDir) } : {}),
    ...(engineNode ? { engineNode } : {}),
  }
}

/** `--name value` and `--name=value`. */
function lastOption(commandLine: readonly string[], name: string): string | undefined {
  let found: string | undefined
  for (const [index, argument] of commandLine.entries()) {
    if (argument.startsWith(`${name}=`)) found = argument.slice(name.length + 1)
    else if (argument === name) found = commandLine[index + 1]
  }
  return found
}

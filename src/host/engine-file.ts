/** engine.json in the data folder: the address and token of the running engine of that folder. Only its owner can read it. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const engineFile = z.object({
  pid: z.number().int().positive(),
  /** UTC ms */
  startedAt: z.number(),
  port: z.number().int().min(1).max(65_535),
  token: z.string().min(32),
  version: z.string(),
})
export type EngineFile = z.infer<typeof engineFile>

const path = (dataDir: string): string => join(dataDir, 'engine.json')

/** Replaces the file as a whole, so that a reader never sees a part of it. */
export function writeEngineFile(dataDir: string, value: EngineFile): void {
  const partial = `${path(dataDir)}.new`
  writeFileSync(partial, `${JSON.stringify(value)}\n`, { mode: 0o600 })
  renameSync(partial, path(dataDir))
}

/** Reads the file. Null when it is absent or cannot be parsed, or its process has ended. */
export function readEngineFile(dataDir: string): EngineFile | null {
  if (!existsSync(path(dataDir))) return null
  try {
    const parsed = engineFile.safeParse(JSON.parse(readFileSync(path(dataDir), 'utf8')))
    return parsed.success && isAlive(parsed.data.pid) ? parsed.data : null
  } catch {
    // A file that is incomplete after a crash, or unreadable, counts as absent.
    return null
  }
}

/** Removes the file if it is the one of process `pid`. */
export function removeEngineFile(dataDir: string, pid: number): void {
  if (readEngineFile(dataDir)?.pid === pid) rmSync(path(dataDir), { force: true })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

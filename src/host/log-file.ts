/** The log: JSON lines in the data folder's lode.log, and readable lines on standard error on request. */
import { existsSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import { ensureFolder } from '#engine/ledger/index'
import type { Log } from '#engine/base/index'

const LARGEST_LOG_BYTES = 5 * 1024 * 1024

export interface LogFile {
  log: Log
  file: string | null
  /** Writes all pending lines to the disk. */
  flush(): void
}

/** `toStandardError`: errors also go there. If the folder cannot be written, errors go there only. */
export function openLog(dataDir: string, toStandardError: boolean): LogFile {
  const streams: pino.StreamEntry[] = []
  let file: string | null = join(dataDir, 'lode.log')
  let destination: ReturnType<typeof pino.destination> | null = null
  try {
    ensureFolder(dataDir)
    if (existsSync(file) && statSync(file).size > LARGEST_LOG_BYTES) renameSync(file, `${file}.1`)
    destination = pino.destination({ dest: file, sync: true, mode: 0o600, append: true })
    streams.push({ stream: destination, level: 'info' })
  } catch {
    file = null
  }
  if (toStandardError || file === null) streams.push({ stream: process.stderr, level: 'error' })
  const logger = pino(
    { base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.multistream(streams),
  )
  return {
    file,
    flush: () => destination?.flushSync(),
    log: {
      info: (message, details) => logger.info(details ?? {}, message),
      warn: (message, details) => logger.warn(details ?? {}, message),
      error: (message, details) => logger.error(details ?? {}, message),
    },
  }
}

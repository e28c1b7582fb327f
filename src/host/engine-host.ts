/** An engine in this process with its loopback server: used by `lode mine`, `lode serve` and the desktop's engine process. */
import { randomBytes } from 'node:crypto'
import { createEngine, type Engine } from '#engine/engine'
import { systemClock } from '#process/clock'
import type { ProcessHost } from '#process/host'
import { createNodeProcessHost } from '#process/node-host'
import { startLoopbackServer, type LoopbackServer } from '#server/server'
import { inEnglish } from '#shared/domain/messages'
import { removeEngineFile, writeEngineFile } from './engine-file'
import { openLog } from './log-file'
import { modelEnvironment } from './model-environment'
import { applyProxy } from './proxy'
import { pageFolder, programFolder, resourcesFolder } from './paths'

export const VERSION: string = __LODE_VERSION__

export interface HostedEngine {
  engine: Engine
  server: LoopbackServer
  dataDir: string
  logFault: (where: string, error: unknown) => void
  /** Stops the engine, its processes and the server. */
  close(): Promise<void>
}

export interface HostOptions {
  dataDir: string
  /** 0: a random free one */
  port: number
  dashboard: boolean
  epochSeconds?: number
  allowTestTier?: boolean
  processHost?: ProcessHost
}

/** Throws Failure: `already-running`, `ledger-*`, `data-folder`, or `unavailable` when the port is taken. */
export async function hostEngine(options: HostOptions): Promise<HostedEngine> {
  const { dataDir } = options
  applyProxy()
  const logFile = openLog(dataDir, true)
  const { log } = logFile
  const logFault = (where: string, error: unknown): void =>
    log.error('fault', { where, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  const engine = await createEngine({
    dataDir,
    version: VERSION,
    clock: systemClock,
    random: (bytes) => new Uint8Array(randomBytes(bytes)),
    host: options.processHost ?? createNodeProcessHost(programFolder),
    log,
    logFile: logFile.file,
    resourcesFolder,
    ...(options.epochSeconds === undefined ? {} : { epochSeconds: options.epochSeconds }),
    allowTestTier: options.allowTestTier ?? false,
    models: modelEnvironment(),
  })
  try {
    // Files that were moved aside as corrupt or recreated are also reported on standard error, for people who do not read the log.
    const { notices } = await engine.api.handlers['engine.status'](null)
    for (const { severity, title } of notices)
      if (severity !== 'info') process.stderr.write(`lode: ${inEnglish.text(title)}\n`)
    const token = randomBytes(32).toString('base64url')
    const server = await startLoopbackServer({
      api: engine.api,
      token,
      port: options.port,
      pageFolder: options.dashboard ? pageFolder : null,
      uploadsFolder: engine.uploadsFolder,
      logFault,
    })
    writeEngineFile(dataDir, { pid: process.pid, startedAt: Date.now(), port: server.port, token, version: VERSION })
    return {
      engine,
      server,
      dataDir,
      logFault,
      close: async () => {
        removeEngineFile(dataDir, process.pid)
        await server.close()
        await engine.close()
        logFile.flush()
      },
    }
  } catch (error) {
    await engine.close()
    throw error
  }
}

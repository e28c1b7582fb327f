/** A real engine in the test's own process, with real worker processes and a folder of its own. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createEngine, type Engine, type EngineOptions } from '#engine/engine'
import { createNodeProcessHost } from '#process/node-host'
import { systemClock } from '#process/clock'
import { startLoopbackServer, type LoopbackServer } from '#server/server'
import { root } from './lode'
import { serializedTransport } from './sessions'

export interface TestEngine {
  engine: Engine
  server: LoopbackServer
  token: string
  /** what the engine logged as a warning, as an error, or as a fault of its own behind the door; each begins with that word */
  complaints: string[]
  close(): Promise<void>
}

export async function startTestEngine(dataDir: string, changes: Partial<EngineOptions> = {}): Promise<TestEngine> {
  const complaints: string[] = []
  const complain =
    (severity: 'warning' | 'error' | 'fault') =>
    (message: string, details?: Record<string, unknown>): void =>
      void complaints.push(`${severity}: ${message} ${JSON.stringify(details ?? {})}`)
  const engine = await createEngine({
    dataDir,
    version: 'test',
    clock: systemClock,
    random: (bytes) => new Uint8Array(randomBytes(bytes)),
    host: createNodeProcessHost(join(root, 'out/node')),
    log: { info: () => undefined, warn: complain('warning'), error: complain('error') },
    logFile: null,
    resourcesFolder: join(root, 'resources'),
    allowTestTier: true,
    models: { fetchByItself: false },
    carrySession: serializedTransport,
    ...changes,
  })
  const token = randomBytes(32).toString('base64url')
  const server = await startLoopbackServer({
    api: engine.api,
    token,
    port: 0,
    pageFolder: join(root, 'out/renderer'),
    uploadsFolder: engine.uploadsFolder,
    logFault: (where, error) => complain('fault')(where, { error: String(error) }),
  })
  return {
    engine,
    server,
    token,
    complaints,
    close: async () => {
      await server.close()
      await engine.close()
    },
  }
}

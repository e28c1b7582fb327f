/** The engine that a command talks to: the running one of the data folder, or one started for the command alone. */
import { Failure } from '#shared/domain/errors'
import { connectInProcess, connectWebSocket, type EngineClient } from './client'
import { readEngineFile } from './engine-file'
import { hostEngine } from './engine-host'

export interface EngineSession {
  client: EngineClient
  /** null: started for this command */
  runningPid: number | null
  close(): Promise<void>
}

/** The running engine, or null. */
export async function attach(dataDir: string): Promise<EngineSession | null> {
  const file = readEngineFile(dataDir)
  if (file === null) return null
  const client = await connectWebSocket(file.port, file.token)
  return {
    client,
    runningPid: file.pid,
    close: async () => client.close(),
  }
}

/** The running engine, or one in this process that ends with the command. */
export async function openSession(dataDir: string): Promise<EngineSession> {
  const running = await attachIfAnswering(dataDir)
  if (running !== null) return running
  const hosted = await hostEngine({ dataDir, port: 0, dashboard: false })
  const client = connectInProcess(hosted.engine.api, hosted.logFault)
  return {
    client,
    runningPid: null,
    close: async () => {
      client.close()
      await hosted.close()
    },
  }
}

export async function withSession<T>(dataDir: string, work: (session: EngineSession) => Promise<T>): Promise<T> {
  const session = await openSession(dataDir)
  try {
    return await work(session)
  } finally {
    await session.close()
  }
}

/** A process id that was reused by another program has no engine behind it: then the file is stale. */
async function attachIfAnswering(dataDir: string): Promise<EngineSession | null> {
  try {
    return await attach(dataDir)
  } catch (error) {
    if (error instanceof Failure && (error.code === 'unavailable' || error.code === 'unauthorized')) return null
    throw error
  }
}

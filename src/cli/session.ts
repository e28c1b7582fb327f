/** The engine that a command talks to: the running one of the data folder, or one started for the command alone. */
import { setTimeout as wait } from 'node:timers/promises'
import { Failure } from '#shared/domain/errors'
import { connectInProcess, connectWebSocket, type EngineClient } from './client'
import { readEngineFile } from '#host/engine-file'
import { hostEngine, type HostedEngine } from '#host/engine-host'

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
  const hosted = await hostOrWait(dataDir)
  if ('runningPid' in hosted) return hosted
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

const STARTING_MILLISECONDS = 10_000
const LOOK_MILLISECONDS = 100

/** An engine in this process. Where another command holds the folder, waits until that one answers or ends, 10 s at most. */
async function hostOrWait(dataDir: string): Promise<EngineSession | HostedEngine> {
  for (const began = performance.now(); ;) {
    try {
      return await hostEngine({ dataDir, port: 0, dashboard: false })
    } catch (error) {
      const isHeld = error instanceof Failure && error.code === 'already-running'
      if (!isHeld || performance.now() - began > STARTING_MILLISECONDS) throw error
      await wait(LOOK_MILLISECONDS)
      const running = await attachIfAnswering(dataDir)
      if (running !== null) return running
    }
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

/** The running engine; null where engine.json is stale: its process id may belong to another program by now. */
async function attachIfAnswering(dataDir: string): Promise<EngineSession | null> {
  try {
    return await attach(dataDir)
  } catch (error) {
    if (error instanceof Failure && (error.code === 'unavailable' || error.code === 'unauthorized')) return null
    throw error
  }
}

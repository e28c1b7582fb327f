/** The engine's client of the sensors process. It keeps the process alive; a failure of the process stops nothing else. */
import os from 'node:os'
import type { ManagedProcess } from '#process/host'
import { createPeer, type Peer } from '#process/peer'
import { BACKOFF } from '#process/backoff'
import { supervise } from '#process/supervisor'
import type { RigContext } from '../base'
import { describeExit } from './describe-exit'
import type { SensorInventory, SensorMethods, MachineReading } from '#shared/ipc/sensors'

export interface SensorsClient {
  /** Reads what the machine has. Without an answer: the last inventory, or what Node itself knows. Never rejects. */
  inventory(options?: { timeoutMilliseconds?: number }): Promise<SensorInventory>
  /** Reads all sensors, as soon as the process runs. Null: the process does not run or does not answer. Never rejects. */
  read(): Promise<MachineReading | null>
  /** Ends the process; settles when it is gone. */
  stop(): Promise<void>
}

const INVENTORY_TIMEOUT_MILLISECONDS = 15_000
const READ_TIMEOUT_MILLISECONDS = 5000
const UNANSWERED_READS_BEFORE_KILL = 3

type SensorsPeer = Peer<SensorMethods, Record<never, never>>

/**
 * Starts the sensors process, and starts it again with back-off when it ends or stops answering. After too many failures it
 * waits the length of the failure window and tries again: sensors are useful, but nothing depends on them.
 */
export function createSensorsClient(
  { host, clock, randomFraction }: Pick<RigContext, 'host' | 'clock' | 'randomFraction'>,
  /** `readTimeoutMilliseconds`: for one reading; after three readings without an answer the process is killed */
  { readTimeoutMilliseconds = READ_TIMEOUT_MILLISECONDS }: { readTimeoutMilliseconds?: number } = {},
): SensorsClient {
  let lastInventory: SensorInventory | undefined
  let running: { process: ManagedProcess; peer: SensorsPeer } | undefined
  let unanswered = 0
  let stopped = false
  let retryTimer: { cancel(): void } | undefined
  const waiting = new Set<(peer: SensorsPeer | undefined) => void>()

  const started = (process: ManagedProcess): void => {
    running = { process, peer: createPeer<SensorMethods, Record<never, never>>(process.port, 'sensors') }
    unanswered = 0
    for (const resolve of waiting) resolve(running.peer)
    waiting.clear()
    // a new process knows its GPUs only after it has looked
    if (lastInventory) void askInventory(running.peer)
  }
  const askInventory = async (
    peer: SensorsPeer,
    timeoutMilliseconds = INVENTORY_TIMEOUT_MILLISECONDS,
  ): Promise<SensorInventory | undefined> => {
    try {
      lastInventory = await peer.request('sensors.inventory', null, { timeoutMilliseconds })
      return lastInventory
    } catch {
      return undefined
    }
  }
  /** The peer of the running process, or of the next one if that starts in time. */
  const peerInTime = (): Promise<SensorsPeer | undefined> => {
    if (running) return Promise.resolve(running.peer)
    if (stopped) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const settle = (peer: SensorsPeer | undefined): void => {
        timer.cancel()
        waiting.delete(settle)
        resolve(peer)
      }
      const timer = clock.setTimeout(() => settle(undefined), READ_TIMEOUT_MILLISECONDS)
      waiting.add(settle)
    })
  }

  const supervisor = supervise({
    start: () => host.start('sensors', { role: 'sensors' }),
    clock,
    random: randomFraction,
    describe: describeExit,
    watchHeartbeat: false,
    onState: (state) => {
      if (state.state === 'running') return started(state.process)
      running = undefined
      if (state.state === 'open') {
        retryTimer = clock.setTimeout(() => supervisor.retry(), BACKOFF.failureWindowMilliseconds)
      }
    },
  })

  return {
    inventory: async ({ timeoutMilliseconds } = {}) => {
      const peer = await peerInTime()
      return (peer && (await askInventory(peer, timeoutMilliseconds))) ?? lastInventory ?? inventoryFromNode()
    },
    read: async () => {
      const peer = stopped ? undefined : await peerInTime()
      if (!peer) return null
      const isCurrent = (): boolean => running?.peer === peer && !stopped
      try {
        const reading = await peer.request('sensors.read', null, { timeoutMilliseconds: readTimeoutMilliseconds })
        if (!isCurrent()) return null
        unanswered = 0
        return reading
      } catch {
        if (isCurrent() && ++unanswered >= UNANSWERED_READS_BEFORE_KILL) running?.process.kill()
        return null
      }
    },
    stop: async () => {
      stopped = true
      retryTimer?.cancel()
      for (const resolve of waiting) resolve(undefined)
      await supervisor.stop()
    },
  }
}

/** What Node knows by itself: enough to mine with the CPU. Cores are logical ones here. */
export function inventoryFromNode(): SensorInventory {
  const logicalCores = os.availableParallelism()
  return {
    cpu: {
      name: os.cpus()[0]?.model.trim() || 'Unknown processor',
      vendor: '',
      physicalCores: logicalCores,
      logicalCores,
      instructionSets: [],
    },
    memoryBytes: os.totalmem(),
    gpus: [],
    raplReadable: false,
    battery: false,
  }
}

import type { EngineStatus } from '#shared/contract/engine'
import { Failure } from '#shared/domain/errors'
import { inEnglish, message } from '#shared/domain/messages'
import { english } from '#shared/domain/format'
import type { CommandContext } from '../command-context'
import { macText } from '../figures'
import { attach, withSession } from '../session'

/** `lode status`: with or without a running engine. */
export async function status({ output, dataDir }: CommandContext): Promise<void> {
  await withSession(dataDir, async ({ client, runningPid }) => {
    const now = await client.call('engine.status', null)
    const devices = await client.call('devices.list', null)
    const jobs = (await client.call('jobs.summary', null)).filter(({ kind }) => kind !== 'proof')
    const mining = isMining(now)
    output.answer(
      {
        mining,
        pausedBecause: now.pausedBecause,
        network: now.network.name,
        devices: devices.map(
          ({
            id,
            kind,
            name,
            backends,
            backend,
            memoryBytes,
            canMine,
            reason,
            state,
            activity,
            macsPerSecond,
            watts,
            wattsCertainty,
            wattsSource,
            macsPerJoule,
            loadedModels,
          }) => ({
            id,
            kind,
            name,
            backends,
            backend,
            memoryBytes,
            canMine,
            ...(reason === undefined ? {} : { reason: inEnglish.text(reason) }),
            state,
            activity: activity === null ? '' : inEnglish.text(activity),
            macsPerSecond,
            watts,
            wattsCertainty,
            wattsSource,
            macsPerJoule,
            loadedModels,
          }),
        ),
        jobsToday: jobs.map(({ kind, count, creditMacs, joulesPerJob, joulesCertainty }) => ({
          kind,
          count,
          creditMacs,
          joulesPerJob,
          joulesCertainty,
        })),
        creditMacs: now.creditMacs,
        credits: now.credits,
        dataDir: now.dataDir,
        version: now.version,
        ...(runningPid === null ? {} : { pid: runningPid }),
      },
      [
        runningPid === null ? 'No engine runs for this data folder.' : stateLine(now),
        ...(now.pausedBecause.length > 0 ? [`Paused: ${now.pausedBecause.join(', ')}.`] : []),
        ...now.devices.map(
          (device) =>
            `${device.id}  ${device.name}: ${device.state}${device.activity === null ? '' : `, ${inEnglish.text(device.activity)}`}`,
        ),
        ...devices
          .filter(({ loadedModels }) => loadedModels.length > 0)
          .map(({ id, loadedModels }) => `${id}  in memory: ${loadedModels.map(({ name }) => name).join(', ')}`),
        ...jobs.map(
          ({ kind, count, joulesPerJob, joulesCertainty }) =>
            `Today ${count} ${kind} ${count === 1 ? 'job' : 'jobs'}${joulesPerJob === null ? '' : `, ${joulesPerJob.toPrecision(3)} J each (${joulesCertainty ?? 'estimated'})`}`,
        ),
        `Credit today ${macText(now.creditMacs.today)}, in all ${macText(now.creditMacs.total)} in ${now.credits} credits. Practice, no market value.`,
        ...(now.creditMacs.held === '0'
          ? []
          : [`Held until checked: ${macText(now.creditMacs.held)}, not among these.`]),
        `Data folder: ${now.dataDir}`,
      ],
    )
  })
}

/** The engine's state in a sentence. */
function stateLine({ state, since, network }: EngineStatus): string {
  switch (state) {
    case 'mining':
      return `Mining on ${network.name}${since === null ? '' : ` since ${english.clock(since)}`}.`
    case 'starting':
      return `Starting to mine on ${network.name}.`
    case 'finishing':
      return 'Finishing its jobs, then mining stops.'
    case 'faulted':
      return 'Not mining: something stopped.'
    case 'paused':
    case 'stopped':
      return 'Not mining.'
  }
}

export function isMining(now: EngineStatus): boolean {
  return now.state === 'starting' || now.state === 'mining' || now.state === 'finishing'
}

/** `lode start`: in the running engine. */
export async function start({ output, dataDir }: CommandContext): Promise<void> {
  const session = await running(dataDir)
  try {
    const now = await session.client.call('engine.start', null)
    output.answer({ mining: isMining(now), pid: session.runningPid }, `Mining. Engine ${session.runningPid}.`)
  } finally {
    await session.close()
  }
}

/** `lode stop`: mining stops; an engine without a window ends. */
export async function stop({ output, dataDir }: CommandContext, options: { finish?: boolean }): Promise<void> {
  const session = await running(dataDir)
  try {
    const now = await session.client.call('engine.stop', { finish: options.finish ?? false })
    output.answer({ mining: isMining(now), pid: session.runningPid }, 'Stopped.')
  } finally {
    await session.close()
  }
}

async function running(dataDir: string) {
  const session = await attach(dataDir)
  if (session === null) {
    throw new Failure('not-running', message('engine-not-running-here', { folder: dataDir }))
  }
  return session
}

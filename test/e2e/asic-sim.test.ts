/**
 * The simulated ASIC breaks while it mines beside the processor: each time it stops with the right sentence, the processor
 * goes on, wrong work earns nothing, and it mines again once it is mended and tried again.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Device } from '#shared/contract/devices'
import { inEnglish, message } from '#shared/domain/messages'
import { creditOfDevices, sharesWithDigest } from '../support/stored-shares'
import { startTestEngine, type TestEngine } from '../support/engine'
import { root, temporaryFolder } from '../support/lode'
import { eventually } from '../support/waiting'
import { said } from '../support/said'

const folder = join(root, 'out/native/drivers/asic-sim')
const DEVICE = 'asic-sim-asic0'
const dataDir = temporaryFolder()

let running: TestEngine
const accepted: string[] = []
const start = async (): Promise<void> => {
  running = await startTestEngine(dataDir, { driverHangMilliseconds: 6000 })
  running.engine.api.onEvent((event, data) => {
    if (event === 'share.changed') {
      const { state, deviceId } = data as { state: string; deviceId: string }
      if (state === 'accepted') accepted.push(deviceId)
    }
  })
}
const handlers = (): TestEngine['engine']['api']['handlers'] => running.engine.api.handlers
const device = async (wanted = DEVICE): Promise<Device> => {
  const found = (await handlers()['devices.list'](null)).find(({ id }) => id === wanted)
  if (!found) throw new Error(`${wanted} is not listed`)
  return found
}
/** From now on. */
const earns = async (...devices: string[]): Promise<void> => {
  accepted.length = 0
  await eventually(() => devices.every((id) => accepted.includes(id)), `credit for ${devices.join(' and ')}`)
}
/** It may be measuring a model meanwhile, once. */
const processorGoesOn = (): Promise<void> =>
  eventually(async () => (await device('cpu0')).state === 'proving', 'that the processor mines')
/** The simulated device's wrong digests look like the best share there ever was. */
const WRONG_DIGEST = '0'.repeat(64)

/** Wrong digests are refused without any credit, the device earns nothing more, and the processor goes on earning. */
const holdsNoCredit = async (): Promise<void> => {
  // The first refusal quarantines it; what it had submitted besides is refused a moment later.
  const isDecided = (): boolean => sharesWithDigest(dataDir, WRONG_DIGEST).every(({ state }) => state !== 'submitted')
  await eventually(isDecided, 'that every wrong share is refused')
  const wrong = sharesWithDigest(dataDir, WRONG_DIGEST)
  expect(wrong.length).toBeGreaterThan(0)
  const refused = { state: 'refused', reason: 'wrong-digest', verification: null }
  const withoutCredit = { credit: 'refused', receipt: null, networkReceipts: 0 }
  expect(wrong).toEqual(wrong.map(() => ({ device: DEVICE, ...refused, ...withoutCredit })))
  const before = creditOfDevices(dataDir)
  await earns('cpu0')
  const now = creditOfDevices(dataDir)
  expect(now.get('cpu0')).toBeGreaterThan(before.get('cpu0') ?? 0n)
  expect(now.get(DEVICE)).toBe(before.get(DEVICE))
  const { ok, problems } = await handlers()['ledger.verify'](null)
  expect({ ok, problems }).toEqual({ ok: true, problems: [] })
}
const fault = (word: string): void => writeFileSync(join(dataDir, 'drivers/asic-sim/asic-sim.fault'), word)
const mend = (): void => rmSync(join(dataDir, 'drivers/asic-sim/asic-sim.fault'))

describe.runIf(existsSync(folder))('the simulated ASIC', () => {
  beforeAll(async () => {
    await start()
    const { sha256 } = await handlers()['drivers.inspect']({ path: folder })
    await handlers()['drivers.add']({ path: folder, sha256 })
    await handlers()['engine.start']({ tier: 'itp1-small', threads: 1, samples: false })
  })
  afterAll(async () => {
    await running.close()
  })

  test('mines beside the processor, and both earn at once', async () => {
    expect(await handlers()['drivers.list'](null)).toMatchObject([
      {
        state: 'ready',
        vendor: 'Lode (simulated)',
        devices: [{ id: DEVICE, name: 'Simulated ASIC', kind: 'asic' }],
      },
    ])
    await earns(DEVICE, 'cpu0')
    expect(await device()).toMatchObject({
      state: 'proving',
      wattsCertainty: 'measured',
      wattsSource: "the driver's sensor",
      energyFrom: 'counter',
      powerLimit: { currentWatts: 80 },
    })
  })

  test('every share of it has the joules that its own counter counted', async () => {
    const sharesOfIt = async () => {
      const { rows } = await handlers()['jobs.page']({ offset: 0, limit: 100, filter: { deviceId: DEVICE } })
      // of several that one slice found, the first has all of its time and joules
      return rows.filter(({ milliseconds }) => milliseconds !== 0)
    }
    await eventually(async () => (await sharesOfIt()).length > 0, 'a share')
    const shares = await sharesOfIt()
    expect(shares.filter(({ joules, joulesCertainty }) => !joules || joulesCertainty !== 'measured')).toEqual([])
  })

  const faults: [word: string, sentence: string, tags: string[]][] = [
    ['die', 'Quarantined: asic-sim-asic0: the link to the simulated device was lost.', []],
    ['lost-link', 'Quarantined: asic-sim-asic0: the link to the simulated device was lost.', ['long']],
    ['hang', 'Quarantined: asic-sim-asic0: it hangs: it gave no answer in time.', ['long']],
    ['wrong-digest', 'Quarantined: asic-sim-asic0 submitted a wrong digest.', ['long']],
  ]
  for (const [word, sentence, tags] of faults) {
    test(`told to ${word}`, { tags }, async () => {
      fault(word)
      await eventually(async () => (await device()).state === 'faulted', 'the quarantine')
      const stopped = await device()
      expect(stopped).toMatchObject({ canMine: false, state: 'faulted' })
      expect(said(stopped.reason)).toBe(sentence)
      expect(await handlers()['drivers.list'](null)).toMatchObject([{ state: 'quarantined', reason: stopped.reason }])
      await processorGoesOn()
      expect((await handlers()['engine.status'](null)).state).toBe('mining')
      if (word === 'wrong-digest') await holdsNoCredit()
      mend()
      const retried = await handlers()['devices.retry']({ id: DEVICE })
      expect(retried.reason).toBeUndefined()
      expect(retried.canMine).toBe(true)
      await earns(DEVICE)
    })
  }

  test('told to overheat it rests, says so, and goes on once it has cooled down', async () => {
    fault('hot')
    await eventually(async () => (await device()).activity?.code === 'device-too-hot', 'that it rests')
    const { activity } = await device()
    expect(activity && inEnglish.text(activity)).toMatch(/^Too hot: (9\d|1[01]\d) °C\. Goes on below 82 °C\.$/)
    const { notices } = await handlers()['engine.status'](null)
    expect(notices).toMatchObject([{ id: `hot-${DEVICE}`, severity: 'warning' }])
    await processorGoesOn()
    mend()
    await eventually(async () => (await device()).state === 'proving', 'that it goes on')
    await earns('cpu0')
  })

  test('stays listed with its reason and a way back when Lode starts again', async () => {
    await earns(DEVICE)
    fault('wrong-digest')
    await eventually(async () => (await device()).state === 'faulted', 'the quarantine')
    await running.close()
    await start()
    expect(await device()).toMatchObject({
      state: 'faulted',
      canMine: false,
      name: 'Simulated ASIC',
      reason: message('quarantined-because', { reason: message('by-device-wrong-digest', { device: DEVICE }) }),
    })
    mend()
    expect(await handlers()['devices.retry']({ id: DEVICE })).toMatchObject({ canMine: true, state: 'idle' })
    expect((await handlers()['ledger.verify'](null)).ok).toBe(true)
  })
})

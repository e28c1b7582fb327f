import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { v7 } from 'uuid'
import { createTestClock, seededRandom } from '../../../test/support/coordinator-harness'
import { openLedger } from '../ledger'
import { createSigner, signatureVerifier } from './ed25519'
import { joinPractice } from './join-practice'
import { createNetworkState } from './network-state'

const signer = createSigner('22'.repeat(32))
const never = async (): Promise<never> => expect.fail('nothing is verified here')
const cleanUps: (() => void)[] = []
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) cleanUp()
})

/** A data folder whose engine starts, hears the present epoch and ends. */
function dataFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'lode-join-'))
  const time = createTestClock()
  const clock = { ...time, monotonic: time.now }
  let run = 0
  const ledger = openLedger({ folder, clock, ids: { uuid: () => v7() }, onNotice: () => undefined })
  cleanUps.push(
    () => rmSync(folder, { recursive: true }),
    () => ledger.close(),
  )
  const hear = async () => {
    const rig = { dataDir: folder, clock, randomBytes: seededRandom(`run ${run++}`), ledger, log: silent }
    const network = await joinPractice(rig, {
      rigKey: signer.publicKeyHex,
      verifier: { digest: never, generate: never, appraise: never },
      countModel: async () => undefined,
      installedModel: () => undefined,
      allowTestTier: false,
      onNotice: () => undefined,
    })
    const { networkName, networkKey, lastEpoch } = network
    const state = createNetworkState(rig, {
      session: network.rigSession,
      networkName,
      signer,
      signatures: signatureVerifier,
      pinnedKey: networkKey,
      lastEpoch,
      knownEpoch: (key, number) => ledger.epochUnder(networkName, key, number)?.body ?? null,
      onPinned: () => undefined,
      onEpoch: (epoch) => ledger.recordEpoch(epoch, networkName),
    })
    try {
      await state.hello([])
      return { networkKey, lastEpoch: lastEpoch?.body.number ?? null, epoch: state.current.epoch }
    } finally {
      network.close()
    }
  }
  const remove = (): void => {
    for (const part of ['', '-wal', '-shm']) rmSync(join(folder, `network.db${part}`), { force: true })
  }
  return { folder, ledger, clock, hear, remove }
}
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

describe('the epochs of the practice network', () => {
  it('follow the newest that the ledger has, over restarts and gaps', async () => {
    const { clock, hear } = dataFolder()
    expect(await hear()).toMatchObject({ lastEpoch: null, epoch: { number: 0 } })
    expect(await hear()).toMatchObject({ lastEpoch: 0, epoch: { number: 0 } })
    clock.advance(3_600_000)
    const { epoch } = await hear()
    expect(epoch.number).toBe(1)
    expect(epoch.reveal).toBeDefined()
  })

  it('begin anew under the same key where its store is lost, and are bound again from there on', async () => {
    const { clock, hear, remove } = dataFolder()
    const before = await hear()
    remove()
    const after = await hear()
    expect(after).toMatchObject({ networkKey: before.networkKey, lastEpoch: null, epoch: { number: 1 } })
    expect(after.epoch.reveal).toBeUndefined()
    clock.advance(600_000)
    expect(await hear()).toMatchObject({ lastEpoch: 1, epoch: { number: 2, reveal: expect.any(String) } })
  })

  it('do not use a number again where its store was put back from a copy', async () => {
    const { folder, clock, hear, remove } = dataFolder()
    await hear()
    copyFileSync(join(folder, 'network.db'), join(folder, 'copy.db'))
    for (let epoch = 1; epoch < 4; epoch++) {
      clock.advance(600_000)
      expect((await hear()).epoch.number).toBe(epoch)
    }
    remove()
    copyFileSync(join(folder, 'copy.db'), join(folder, 'network.db'))
    clock.advance(600_000)
    expect(await hear()).toMatchObject({ lastEpoch: null, epoch: { number: 4 } })
    clock.advance(600_000)
    expect(await hear()).toMatchObject({ lastEpoch: 4, epoch: { number: 5 } })
  })
})

/** The practice network: a coordinator inside the program, its store in the data folder. Nothing leaves the machine. */
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import {
  createCoordinator,
  type Appraiser,
  type Coordinator,
  type CoordinatorClock,
  type CoordinatorConfiguration,
  type OwnModels,
  type SyntheticJobSource,
  type Verifier,
} from '#coordinator/coordinator'
import { hex64 } from '#shared/domain/bytes'
import { Failure } from '#shared/domain/errors'
import { message, type Message } from '#shared/domain/messages'
import { createSigner, generateKeySeed, signatureVerifier } from './ed25519'
import { moveAside, openNetworkDatabase } from '#coordinator/sqlite/database'
import { createSqliteStore } from '#coordinator/sqlite/store'

export interface PracticeNetworkOptions {
  /** the folder of network.db and network.key; it exists and only its owner can read it */
  folder: string
  verifier: Verifier
  appraiser: Appraiser
  syntheticJobs: SyntheticJobSource
  /** the person's models, which the network lists by itself */
  ownModels?: OwnModels
  clock: CoordinatorClock
  random: (bytes: number) => Uint8Array
  /** Hears of what goes wrong while nobody calls: the first of several failures in a row. */
  onError: (error: unknown) => void
  /** settings that differ from practice's rules; `firstEpoch` numbers the first epoch of a new store */
  configuration?: Partial<CoordinatorConfiguration>
}

export interface PracticeNetwork {
  readonly coordinator: Coordinator
  /** hex public key, to be pinned */
  readonly networkKey: string
  /** what happened to the network's files, to be reported once */
  readonly notices: readonly Message[]
  /** From now on epochs and leases end without a caller. Call it when the work of a former run was recovered: a lease of it must not end first. */
  start(): void
  /** Ends its timer too. Calls that come later reject with Failure `unavailable`. */
  close(): void
}

/** Throws Failure: `data-folder` when the folder cannot be written, `ledger-newer` for a store of a newer version. */
export async function openPracticeNetwork(options: PracticeNetworkOptions): Promise<PracticeNetwork> {
  const { folder, clock, random } = options
  const now = clock.now()
  const notices: Message[] = []
  const key = openKey(join(folder, 'network.key'), random, now)
  if (key.movedAside !== undefined) {
    notices.push(message('network-key-recreated', { kept: key.movedAside }))
  }
  const { database, movedAside: damagedStore } = openNetworkDatabase(folder, now)
  if (damagedStore !== undefined) {
    notices.push(message('network-recreated', { kept: damagedStore }))
  }
  try {
    const signer = createSigner(key.seed)
    const configuration = { ...options.configuration }
    // A new store must not use numbers of epochs that the ledger has from the damaged one.
    if (damagedStore !== undefined) configuration.firstEpoch ??= Math.floor(now / 1000)
    const store = createSqliteStore(database)
    const coordinator = await createCoordinator({
      ...options,
      store,
      signer,
      signatures: signatureVerifier,
      configuration,
    })
    const close = (): void => {
      // A tick that is under way fails at the closed store, and a stopped coordinator says nothing of it.
      void coordinator.stop()
      database.close()
    }
    return {
      coordinator,
      networkKey: signer.publicKeyHex,
      notices,
      start: () => coordinator.start(options.onError),
      close,
    }
  } catch (error) {
    database.close()
    throw error
  }
}

/** The network's private key seed from its owner-only file; a new one when there is none or it cannot be read as a key. */
function openKey(
  file: string,
  random: (bytes: number) => Uint8Array,
  now: number,
): { seed: string; movedAside: string | undefined } {
  try {
    let damaged: string | undefined
    if (existsSync(file)) {
      chmodSync(file, 0o600)
      const seed = hex64.safeParse(readFileSync(file, 'utf8').trim())
      if (seed.success) return { seed: seed.data, movedAside: undefined }
      damaged = moveAside(file, now)
    }
    const seed = generateKeySeed(random)
    writeOwnerOnly(file, `${seed}\n`)
    return { seed, movedAside: damaged }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === undefined) throw error
    throw new Failure('data-folder', message('network-file-not-written', { file, code }))
  }
}

/** Writes a file completely or not at all, also when the power fails: under another name first, then renamed. */
function writeOwnerOnly(file: string, text: string): void {
  const temporary = `${file}.new`
  const descriptor = openSync(temporary, 'w', 0o600)
  try {
    writeSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(temporary, file)
}

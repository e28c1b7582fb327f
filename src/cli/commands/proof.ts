import { TIERS, type TierName } from '#shared/domain/tiers'
import type { BackendName } from '#shared/domain/backend'
import type { WorkerMethods, WorkerNotifications, WorkerStart } from '#shared/ipc/worker'
import { createNodeProcessHost } from '#process/node-host'
import { createPeer } from '#process/peer'
import type { CommandContext } from '../command-context'
import { programFolder } from '#host/paths'

interface DigestOptions {
  tier: TierName
  epoch: string
  publicKey: string
  nonce: bigint
  backend?: BackendName
}

/** `lode proof digest`: one nonce in a worker process of its own; needs neither backend nor data folder. */
export async function proofDigest({ output }: CommandContext, options: DigestOptions): Promise<void> {
  const backend = options.backend ?? 'onnx-cpu'
  const start: WorkerStart = { role: 'worker', deviceId: 'cpu0', threads: 1 }
  const worker = await createNodeProcessHost(programFolder).start('worker', start)
  try {
    const peer = createPeer<WorkerMethods, WorkerNotifications>(worker.port, 'worker')
    const { digest, milliseconds } = await peer.request('proof.digest', {
      tier: options.tier,
      epochSeed: options.epoch,
      publicKey: options.publicKey,
      nonce: options.nonce,
      backend,
    })
    output.answer(
      { digest, backend, tier: options.tier, macs: TIERS[options.tier].macs.toString(), milliseconds },
      digest,
    )
  } finally {
    worker.kill()
    await worker.exited
  }
}

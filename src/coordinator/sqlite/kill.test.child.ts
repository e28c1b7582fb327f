/** A coordinator and a rig that works for it without end, in a process that is killed. Arguments: the folder of network.db, and the round. */
import { EncodedInput } from '#shared/domain/encoded-input'
import { v7 } from 'uuid'
import {
  createHarness,
  createRig,
  createTestClock,
  MODELS,
  START,
  valueOf,
} from '../../../test/support/coordinator-harness'
import { openNetworkDatabase } from './database'
import { createSqliteStore } from './store'

const [folder = '', round = ''] = process.argv.slice(2)
/** Settles when the message is on its way: what the parent does not know of was not sent. */
const tell = (message: object): Promise<void> =>
  new Promise((resolve, reject) =>
    process.send?.(message, undefined, undefined, (error) => (error ? reject(error) : resolve())),
  )

const { database } = openNetworkDatabase(folder, START)
const clock = createTestClock(START + Number(round) * 1000)
const { coordinator } = await createHarness({ store: createSqliteStore(database), clock, seed: `round ${round}` })
const rig = createRig(coordinator)

const mine = async (): Promise<void> => {
  const unit = await rig.unit()
  const share = rig.sign(unit, await rig.find(unit))
  await tell({ sent: { share } })
  const answer = await coordinator.submitShare(share)
  await tell({ answered: share.id, answer })
}
const work = async (count: number): Promise<void> => {
  const input = EncodedInput.of({ kind: 'embed', texts: [`Text ${count} of round ${round}.`] })
  await coordinator.enqueueJob({ id: v7(), buyer: 'person', model: MODELS.embed.model, input })
  const delivery = rig.deliver(valueOf(await rig.lease(['embed'], false)))
  await tell({ sent: { delivery } })
  const answer = await coordinator.submitJob(delivery)
  await tell({ answered: delivery.result.id, answer })
}

await tell({ ready: true })
for (let count = 0; ; count++) {
  await mine()
  await work(count)
}

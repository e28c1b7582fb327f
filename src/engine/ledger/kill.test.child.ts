/** A process that mines as fast as it can into a ledger, until it is killed. Tells its parent each credit after it is on disk. */
import { v7 } from 'uuid'
import { openLedger } from './open'
import { makeJob, makeReceipt, makeResult, makeShare, makeUnit } from './ledger.test.support'

const [folder = '', firstCounter = '0'] = process.argv.slice(2)
const ledger = openLedger({
  folder,
  clock: { now: () => Date.now() },
  ids: { uuid: () => v7() },
  onNotice: () => undefined,
})
const tell = (message: { accepted: string } | { ready: true }): void => void process.send?.(message)

ledger.recover()
tell({ ready: true })
const unit = makeUnit()
ledger.recordUnit(unit, 'cpu0', 'practice')
for (let counter = Number(firstCounter); ; counter++) {
  const share = makeShare(unit, counter)
  const { creditId } = ledger.recordShare(share)
  ledger.accept(makeReceipt(share))
  tell({ accepted: creditId })
  const id = v7()
  ledger.insertJob(makeJob(id))
  ledger.setJobState(id, 'running', { deviceId: 'cpu0' })
  const result = makeResult(id)
  const job = ledger.recordJobResult(id, result)
  ledger.hold(result.result.id)
  ledger.accept(makeReceipt(result))
  tell({ accepted: job.creditId })
  // Lets the messages out.
  await new Promise((resolve) => setImmediate(resolve))
}

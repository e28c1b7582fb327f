/** From estimate to payment as six stages and one bar: fill is certainty. */
import { Plural, Trans, useLingui } from '@lingui/react/macro'
import type { Funnel as FunnelData } from '#shared/contract/earnings'
import { refusalMessage } from '#shared/domain/messages'
import type { Answer } from '../../data/answer'
import { count, joined, NONE, scaled } from '../../ui/format'
import { Empty, Loaded } from '../../ui/parts'
import { useMessages } from '../../ui/messages'

export function Funnel({ answer, words }: { answer: Answer<FunnelData>; words: string }) {
  const { t } = useLingui()
  return (
    <section className="panel funnel" aria-label={t`From estimate to payment, ${words}`}>
      <Loaded answer={answer}>
        {(funnel) =>
          funnel.estimated.count === 0 ? (
            <div className="in pad">
              <Empty title={t`No credit in this period`}>
                <Trans>Each accepted share and job appears here, with its receipt, once mining has run.</Trans>
              </Empty>
            </div>
          ) : (
            <Stages funnel={funnel} words={words} />
          )
        }
      </Loaded>
    </section>
  )
}

function Stages({ funnel, words }: { funnel: FunnelData; words: string }) {
  const { t } = useLingui()
  const messages = useMessages()
  const waiting = BigInt(funnel.submitted.creditMacs)
  const held = BigInt(funnel.held.creditMacs)
  const accepted = BigInt(funnel.accepted.creditMacs)
  const alive = waiting + held + accepted
  const lost = funnel.refused.count + funnel.forfeited.count
  const reasons = [...funnel.refused.reasons, ...funnel.forfeited.reasons]
    .map(({ reason, count: times }) => `${count(times)} ${messages.text(refusalMessage(reason))}`)
    .join(', ')
  const macs = (amount: bigint): string => joined(scaled(amount, 'MAC'), ' ')
  return (
    <>
      <dl className="stages">
        <Stage name={t`Estimated`} fill="f-estimated" credit={funnel.estimated.creditMacs}>
          <span>{t`all work, ${words}`}</span>
          <span>
            <Plural value={funnel.estimated.count} one="# credit" other="# credits" />
          </span>
        </Stage>
        <Stage name={t`Submitted`} fill="f-submitted" credit={alive.toString()}>
          <span>{waiting === 0n ? t`none waits for an answer` : t`${macs(waiting)} waits for an answer`}</span>
          <span title={reasons}>{lost === 0 ? t`none lost` : t`${count(lost)} lost: ${reasons}`}</span>
        </Stage>
        <Stage name={t`Held until checked`} fill="f-held" credit={funnel.held.creditMacs}>
          {funnel.held.count === 0 ? (
            <span>{t`none waits for a check`}</span>
          ) : (
            <>
              <span>
                <Plural value={funnel.held.count} one="# result" other="# results" />
              </span>
              <span>{t`counted once checked`}</span>
            </>
          )}
        </Stage>
        <Stage name={t`Accepted`} fill="f-accepted" credit={funnel.accepted.creditMacs} work>
          <span>
            <Plural value={funnel.accepted.count} one="# receipt" other="# receipts" />
          </span>
          <span>{t`signed by the network`}</span>
        </Stage>
        <Stage name={t`Confirmed`} fill="f-confirmed" credit={null}>
          <span>{t`not yet`}</span>
          <span>{t`practice makes no statements`}</span>
        </Stage>
        <Stage name={t`Paid`} fill="f-paid" credit={null}>
          <span>{t`not yet`}</span>
          <span>{t`practice pays nothing`}</span>
        </Stage>
      </dl>
      <Bar
        waiting={waiting}
        held={held}
        accepted={accepted}
        label={
          held === 0n
            ? t`Of ${macs(alive)} not lost: waiting for an answer ${macs(waiting)}, accepted ${macs(accepted)}`
            : t`Of ${macs(alive)} not lost: waiting for an answer ${macs(waiting)}, held until checked ${macs(held)}, accepted ${macs(accepted)}`
        }
      />
      <div className="axis">
        <span>
          {held === 0n
            ? t`waiting for an answer ${macs(waiting)}, accepted ${macs(accepted)}`
            : t`waiting for an answer ${macs(waiting)}, held until checked ${macs(held)}, accepted ${macs(accepted)}`}
        </span>
        <span>{t`by how far it has come; parts under 7 px are drawn 7 px wide`}</span>
      </div>
    </>
  )
}

function Bar({
  waiting,
  held,
  accepted,
  label,
}: Readonly<Record<'waiting' | 'held' | 'accepted', bigint>> & { label: string }) {
  if (waiting + held + accepted === 0n) return null
  return (
    <div className="bar">
      <span className="sr">{label}</span>
      {waiting > 0n && <i className="f-submitted" style={{ flex: `${Number(waiting)} 1 0` }} />}
      {held > 0n && <i className="f-held" style={{ flex: `${Number(held)} 1 0` }} />}
      {accepted > 0n && <i className="f-accepted" style={{ flex: `${Number(accepted)} 1 0` }} />}
    </div>
  )
}

interface StageProps {
  name: string
  fill: string
  /** null: this stage does not exist yet */
  credit: string | null
  work?: boolean
  children: React.ReactNode
}

function Stage({ name, fill, credit, work = false, children }: StageProps) {
  const figure = credit === null ? { figure: NONE, unit: '' } : scaled(credit, 'MAC')
  return (
    <div className="stage">
      <dt>
        <i className={fill} />
        {name}
      </dt>
      <dd className={`fig ${credit === null ? 'none' : work ? 'work' : ''}`}>
        <b>{figure.figure}</b>
        <span className="u">{figure.unit}</span>
      </dd>
      <dd className="src">{children}</dd>
    </div>
  )
}

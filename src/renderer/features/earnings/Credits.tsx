import { Plural, Trans, useLingui } from '@lingui/react/macro'
import { useState } from 'react'
import type { CreditRow, VerifyReport } from '#shared/contract/earnings'
import type { Failure } from '#shared/domain/errors'
import { refusalMessage } from '#shared/domain/messages'
import { useAnswer } from '../../data/answer'
import { client } from '../../data/client'
import { asFailure } from '../../data/store'
import { count, gigaMacs, scaled, shortId, shortTime } from '../../ui/format'
import { Empty, FigureHead, Loaded, Mark, Panel, Problem } from '../../ui/parts'
import { useMessages } from '../../ui/messages'
import { StateBadge, Verified } from '../../ui/states'

const PAGE = 50

/** The ledger's credits, newest first, and its check against every signed receipt. */
export function Credits() {
  const { t } = useLingui()
  const [offset, setOffset] = useState(0)
  const answer = useAnswer(
    'earnings.credits',
    { offset, limit: PAGE },
    { on: offset === 0 ? ['credit.changed'] : [], restMilliseconds: 1500 },
  )
  const [report, setReport] = useState<VerifyReport | null>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  const [busy, setBusy] = useState(false)
  const verify = (): void => {
    setBusy(true)
    setFailure(null)
    client
      .call('ledger.verify', null)
      .then(setReport, (error: unknown) => setFailure(asFailure(error)))
      .finally(() => setBusy(false))
  }
  return (
    <Panel
      title={t`Credits`}
      note={t`each with its signed receipt`}
      end={
        <button type="button" className={`btn sm ${busy ? 'busy' : ''}`} disabled={busy} onClick={verify}>
          {busy ? <Trans>Checking every receipt</Trans> : <Trans>Verify now</Trans>}
        </button>
      }
    >
      {failure && (
        <div className="in">
          <Problem failure={failure} onRetry={verify} />
        </div>
      )}
      {report && <Report report={report} />}
      <div className="rule-top">
        <Loaded answer={answer}>
          {({ total, rows }) =>
            total === 0 ? (
              <Empty title={t`No credit yet`}>
                <Trans>The first one follows a few seconds after mining starts.</Trans>
              </Empty>
            ) : (
              <>
                <Rows rows={rows} />
                <div className="rule-top spread now-foot">
                  <span className="soft num">{t`${count(offset + 1)} to ${count(offset + rows.length)} of ${count(total)}, newest first`}</span>
                  <span className="row">
                    <button
                      type="button"
                      className="btn sm"
                      disabled={offset === 0}
                      onClick={() => setOffset(Math.max(0, offset - PAGE))}
                    >
                      <Trans>Newer</Trans>
                    </button>
                    <button
                      type="button"
                      className="btn sm"
                      disabled={offset + PAGE >= total}
                      onClick={() => setOffset(offset + PAGE)}
                    >
                      <Trans>Older</Trans>
                    </button>
                  </span>
                </div>
              </>
            )
          }
        </Loaded>
      </div>
    </Panel>
  )
}

function Report({ report }: { report: VerifyReport }) {
  const credit = scaled(report.creditMacs, 'MAC')
  return (
    <output className="set report">
      <span className="row">
        <Mark small state={report.ok ? 'mining' : 'error'} {...(report.ok ? { icon: 'check' as const } : {})} />
        <span>
          {report.ok ? (
            <Trans>
              The ledger is in order: {count(report.credits)} credits and {count(report.receipts)} receipts fit
              together, every signature holds, and the sum is {credit.figure} {credit.unit}.
            </Trans>
          ) : (
            <Trans>
              <Plural value={report.problems.length} one="# problem" other="# problems" /> in {count(report.credits)}{' '}
              credits.
            </Trans>
          )}
        </span>
      </span>
      {report.problems.length > 0 && (
        <ul className="soft sentences">
          {report.problems.slice(0, 20).map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
    </output>
  )
}

function Rows({ rows }: { rows: readonly CreditRow[] }) {
  const { t } = useLingui()
  const messages = useMessages()
  return (
    <div className="scroll-x">
      <table className="tbl credits">
        <caption className="sr">{t`Credits`}</caption>
        <colgroup>
          <col className="w-when" />
          <col className="w-kind" />
          <col />
          <col className="w-num" />
          <col className="w-num wide-only" />
          <col className="w-num" />
          <col className="w-when" />
          <col className="w-check" />
          <col className="w-receipt" />
        </colgroup>
        <thead>
          <tr>
            <th>{t`Time`}</th>
            <th>{t`Kind`}</th>
            <th>{t`Device`}</th>
            <FigureHead name={t`Work`} unit="GMAC" />
            <th className="r wide-only">{t`Factor`}</th>
            <FigureHead name={t`Credit`} unit="GMAC" />
            <th>{t`State`}</th>
            <th>{t`Verified`}</th>
            <th>{t`Receipt`}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              <td title={row.at}>{shortTime(Date.parse(row.at))}</td>
              <td>{row.kind === 'share' ? t`proof` : t`job`}</td>
              <td title={row.deviceName}>{row.deviceName}</td>
              <td className="r">{gigaMacs(row.macs)}</td>
              <td className="r wide-only">{t`× ${Number(row.factorMilli) / 1000}`}</td>
              <td className="r">{gigaMacs(row.creditMacs)}</td>
              <td title={row.reason === undefined ? undefined : messages.text(refusalMessage(row.reason))}>
                <StateBadge state={row.state} />
                {row.disputed !== null && (
                  <span
                    className="badge warning"
                    title={t`The receipt counts × ${Number(row.factorMilli) / 1000}; announced was × ${Number(row.disputed.factorMilli) / 1000}, ${gigaMacs(row.disputed.creditMacs)} GMAC`}
                  >{t`, disputed`}</span>
                )}
                {row.reason !== undefined && (
                  <span className="muted">, {messages.text(refusalMessage(row.reason))}</span>
                )}
              </td>
              <td>
                <Verified verification={row.verification} isUnderHead />
              </td>
              <td className="mono" title={row.receipt ?? undefined}>
                {row.receipt === null ? <span className="muted">–</span> : shortId(row.receipt)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

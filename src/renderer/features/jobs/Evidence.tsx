import { Plural, Trans, useLingui } from '@lingui/react/macro'
import type { WorkDetail } from '#shared/contract/jobs'
import { count, shortId } from '../../ui/format'

/** The evidence that the rig sent to the network with the result, so that others can check the result. */
export function Evidence({ detail }: { detail: WorkDetail }) {
  const { evidence } = detail
  if (detail.kind === 'proof') {
    return (
      <p className="soft">
        <Trans>The digest is the evidence: the network recomputes the nonce and compares.</Trans>
      </p>
    )
  }
  if (evidence === null) {
    return (
      <p className="muted note">
        <Trans>None yet.</Trans>
      </p>
    )
  }
  switch (evidence.kind) {
    case 'embed':
      return (
        <p className="soft">
          <Trans>
            SHA-256 of the vectors:{' '}
            <span className="mono" title={evidence.vectorsSha256}>
              {shortId(evidence.vectorsSha256)}
            </span>
          </Trans>
        </p>
      )
    case 'ocr':
      return (
        <p className="soft">
          <Plural
            value={evidence.lines}
            one="Text and box of # line, below."
            other="Text and boxes of # lines, below."
          />
        </p>
      )
    case 'chat':
      return <TopFive evidence={evidence} />
  }
}

type ChatEvidence = Extract<NonNullable<WorkDetail['evidence']>, { kind: 'chat' }>
const SHOWN_POSITIONS = 200

function TopFive({ evidence }: { evidence: ChatEvidence }) {
  const { t } = useLingui()
  const finishes: Record<ChatEvidence['finish'], string> = {
    stop: t`ended by itself`,
    length: t`stopped at ${count(evidence.tokenIds.length)} tokens`,
    cancelled: t`cancelled`,
  }
  const shown = evidence.topLogProbabilities.slice(0, SHOWN_POSITIONS)
  return (
    <>
      <p className="soft">
        {t`${count(evidence.promptTokenIds.length)} prompt tokens, ${count(evidence.tokenIds.length)} generated, ${finishes[evidence.finish]}. For each generated token the five most likely, with the logarithm of their probability:`}
      </p>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, and a keyboard must reach that */}
      <section className="evidence" aria-label={t`Top five of each token`} tabIndex={0}>
        <table className="tbl">
          <caption className="sr">{t`Top five of each token`}</caption>
          <thead>
            <tr>
              <th className="r">{t`No.`}</th>
              <th className="r">{t`Token`}</th>
              <th>{t`Five most likely tokens, logarithm of each`}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((top, index) => (
              <tr key={index}>
                <td className="r muted">{count(index + 1)}</td>
                <td className="r mono">{evidence.tokenIds[index] ?? ''}</td>
                <td className="mono">
                  {top
                    .map(([token, logarithm]) => `${token} ${logarithm.toFixed(3).replace('-', '\u2212')}`)
                    .join('  ')}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {evidence.topLogProbabilities.length > SHOWN_POSITIONS && (
        <p className="muted note">{t`The first ${SHOWN_POSITIONS} of ${count(evidence.topLogProbabilities.length)} positions.`}</p>
      )}
    </>
  )
}

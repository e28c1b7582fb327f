import { Trans, useLingui } from '@lingui/react/macro'
import { useState } from 'react'
import type { BenchmarkRow, Device } from '#shared/contract/devices'
import type { TierName } from '#shared/domain/tiers'
import type { Failure } from '#shared/domain/errors'
import { useAnswer } from '../../data/answer'
import { client } from '../../data/client'
import { asFailure } from '../../data/store'
import { dayClock, NONE, three, watts } from '../../ui/format'
import { Icon } from '../../ui/icons'
import { Choice, Empty, Loaded, Panel, Problem } from '../../ui/parts'

const SECONDS = 20
const GIGA = 1e9
const TIERS: readonly TierName[] = ['itp1-base', 'itp1-small']

/** Time-boxed measurements with a checksum that every correct device gives. */
export function Benchmarks({ device }: { device: Device }) {
  const { t } = useLingui()
  const answer = useAnswer('devices.benchmarks', { id: device.id })
  const [tier, setTier] = useState<TierName>('itp1-base')
  const [running, setRunning] = useState(false)
  const [failure, setFailure] = useState<Failure | null>(null)
  const run = (): void => {
    setRunning(true)
    setFailure(null)
    client
      .call('devices.benchmark', { id: device.id, tier, seconds: SECONDS })
      .then(answer.reload, (error: unknown) => setFailure(asFailure(error)))
      .finally(() => setRunning(false))
  }
  return (
    <Panel
      title={t`Benchmarks`}
      end={
        device.canMine && (
          <>
            <Choice
              label={t`Tier`}
              value={tier}
              disabled={running}
              choices={TIERS.map((value) => ({ value, text: value }))}
              onChange={setTier}
            />
            <button type="button" className={`btn ${running ? 'busy' : ''}`} disabled={running} onClick={run}>
              {running ? <Trans>Measuring for {SECONDS} s</Trans> : <Trans>Run benchmark, {SECONDS} s</Trans>}
            </button>
          </>
        )
      }
    >
      {failure && (
        <div className="in">
          <Problem failure={failure} onRetry={run} />
        </div>
      )}
      <div className="rule-top grow">
        <Loaded answer={answer}>
          {(rows) =>
            rows.length === 0 ? (
              <Empty title={t`Not measured yet`}>
                {device.canMine ? (
                  <Trans>A benchmark shows rate, work per joule and whether this device computes right.</Trans>
                ) : (
                  <Trans>This device cannot mine yet, so there is nothing to measure.</Trans>
                )}
              </Empty>
            ) : (
              <Rows rows={rows} />
            )
          }
        </Loaded>
      </div>
      <p className="rule-top foot-note">
        <Trans>
          The checksum is the digest of a fixed set of nonces. A correct device gives the same one as the published
          vectors.
        </Trans>
      </p>
    </Panel>
  )
}

function Rows({ rows }: { rows: readonly BenchmarkRow[] }) {
  const { t } = useLingui()
  return (
    <div className="scroll-x">
      <table className="tbl tall bench">
        <caption className="sr">{t`Benchmarks`}</caption>
        <colgroup>
          <col className="w-when" />
          <col />
          <col className="w-num" />
          <col className="w-num" />
          <col className="w-check" />
        </colgroup>
        <thead>
          <tr>
            <th>{t`When`}</th>
            <th>{t`Tier, engine`}</th>
            <th className="r">
              {t`Rate`}
              <span className="u">GMAC/s</span>
            </th>
            <th className="r">
              {t`Efficiency`}
              <span className="u">GMAC/J</span>
            </th>
            <th>{t`Checksum`}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              <td>{dayClock(row.at)}</td>
              <td>
                <span className="mono">{row.tier}</span>
                <span className="sub mono">{row.engine}</span>
              </td>
              <td className="r" title={t`${three(row.noncesPerSecond)} nonces a second`}>
                {three(row.macsPerSecond / GIGA)}
              </td>
              <td
                className="r est"
                title={row.watts === null ? row.wattsSource : t`${watts(row.watts)} W, ${row.wattsSource}`}
              >
                {row.macsPerJoule === null ? <span className="muted">{NONE}</span> : three(row.macsPerJoule / GIGA)}
              </td>
              <td>
                {row.checksum === 'ok' ? (
                  <span className="row ok">
                    <Icon name="check" small />
                    {t`right`}
                  </span>
                ) : (
                  <span className="row bad">
                    <Icon name="close" small />
                    {t`wrong`}
                  </span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

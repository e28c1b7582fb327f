/** Measurements of one device with a checksum that every correct device gives: run, watched, cancelled, and kept. */
import { Trans, useLingui } from '@lingui/react/macro'
import { useEffect, useState } from 'react'
import type { Device } from '#shared/contract/devices'
import type { Params } from '#shared/contract/index'
import { DEFAULT_BENCHMARK_SECONDS } from '#shared/domain/benchmark'
import type { Failure } from '#shared/domain/errors'
import type { TierName } from '#shared/domain/tiers'
import { useAnswer } from '../../data/answer'
import { client } from '../../data/client'
import { asFailure } from '../../data/store'
import { sentence } from '../../ui/format'
import { Choice, Empty, Loaded, Panel, Problem } from '../../ui/parts'
import { BenchmarkProgress } from './BenchmarkProgress'
import { BenchmarkRows } from './BenchmarkRows'
import { useMessages } from '../../ui/messages'

const TIERS: readonly TierName[] = ['itp1-base', 'itp1-small']
/** a benchmark, or minutes of a stress test */
const LENGTHS = ['benchmark', '1', '10', '60'] as const
type Length = (typeof LENGTHS)[number]

export function Benchmarks({ device }: { device: Device }) {
  const messages = useMessages()
  const { t } = useLingui()
  const { id, benchmark } = device
  const answer = useAnswer('devices.benchmarks', { id })
  const { reload } = answer
  const [tier, setTier] = useState<TierName>('itp1-base')
  const [backend, setBackend] = useState<string | null>(null)
  const [length, setLength] = useState<Length>('benchmark')
  const [asked, setAsked] = useState(false)
  const [failure, setFailure] = useState<Failure | null>(null)
  const running = asked || benchmark !== null
  // A benchmark that was started elsewhere, such as by the command, is shown too.
  useEffect(() => {
    if (!running) reload()
  }, [running, reload])
  const run = (): void => {
    const request: Params<'devices.benchmark'> = {
      id,
      tier,
      ...(backend === null ? {} : { backend }),
      ...(length === 'benchmark' ? {} : { stressMinutes: Number(length) }),
    }
    setAsked(true)
    setFailure(null)
    client
      .call('devices.benchmark', request)
      .then(reload, (error: unknown) => setFailure(asFailure(error)))
      .finally(() => setAsked(false))
  }
  const lengthWords = (value: Length): string =>
    value === 'benchmark' ? t`Benchmark, ${DEFAULT_BENCHMARK_SECONDS} s` : t`Stress test, ${value} min`
  return (
    <Panel
      className="benchmarks"
      title={t`${device.name}: benchmarks`}
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
            {device.backends.length > 1 && (
              <Choice
                label={t`Backend`}
                value={backend ?? device.backends[0] ?? ''}
                disabled={running}
                choices={device.backends.map((value) => ({ value, text: value }))}
                onChange={setBackend}
              />
            )}
            <Choice
              label={t`What to run`}
              value={length}
              disabled={running}
              choices={LENGTHS.map((value) => ({ value, text: lengthWords(value) }))}
              onChange={setLength}
            />
            <button type="button" className={`btn ${running ? 'busy' : ''}`} disabled={running} onClick={run}>
              {running ? <Trans>Running</Trans> : <Trans>Run</Trans>}
            </button>
          </>
        )
      }
    >
      {benchmark && <BenchmarkProgress id={id} progress={benchmark} />}
      {failure &&
        (failure.code === 'cancelled' ? (
          <output className="rule-top foot-note">
            {sentence(messages.text(failure.words))} {sentence(messages.action(failure.words))}
          </output>
        ) : (
          <div className="in">
            <Problem failure={failure} onRetry={run} />
          </div>
        ))}
      <div className="rule-top grow">
        <Loaded answer={answer}>
          {(rows) =>
            rows.length === 0 ? (
              <Empty title={t`Not measured yet`}>
                {device.canMine ? (
                  <Trans>A benchmark shows rate, work per joule and whether this device computes right.</Trans>
                ) : (
                  <Trans>This device cannot mine now, so there is nothing to measure.</Trans>
                )}
              </Empty>
            ) : (
              <BenchmarkRows rows={rows} />
            )
          }
        </Loaded>
      </div>
      <p className="rule-top foot-note">
        <Trans>
          The checksum is taken over the digests of a fixed set of nonces. Every correct device gives the same one; the
          reference comes with this version. A stress test checks every digest, and the temperature.
        </Trans>
      </p>
    </Panel>
  )
}

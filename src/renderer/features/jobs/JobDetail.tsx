/** One job or share: its kind and model, its credit, its evidence, input and output, and its states over time. */
import { Trans, useLingui } from '@lingui/react/macro'
import type { WorkDetail as Detail } from '#shared/contract/jobs'
import { DELIVERED_JOB_STATES, hasNoCredit } from '#shared/domain/states'
import { reportFailure } from '../../app/Notices'
import { useAnswer } from '../../data/answer'
import { toast, useStore } from '../../data/store'
import {
  clockSeconds,
  count,
  dayClock,
  duration,
  gigaMacs,
  jobCost,
  joined,
  joules,
  microUnit,
  NONE,
  scaled,
  shortId,
} from '../../ui/format'
import { Icon } from '../../ui/icons'
import { Loaded, Qualifier } from '../../ui/parts'
import { refusalWords } from '../../ui/refusals'
import { useMessages } from '../../ui/messages'
import { StateBadge, StateWord, Verified } from '../../ui/states'
import { CancelJob } from './CancelJob'
import { Evidence } from './Evidence'
import { tokensPerSecond } from './job-rate'
import { JobInput, JobOutput } from './JobResult'

export function JobDetail({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useLingui()
  const answer = useAnswer('jobs.get', { id }, { on: ['job.changed'], restMilliseconds: 400 })
  const copy = (): void => {
    navigator.clipboard.writeText(id).then(
      () => toast(t`Copied`, id),
      () => undefined,
    )
  }
  return (
    <section className="panel job-detail" aria-label={t`Job ${shortId(id)}`}>
      <header>
        <h2>
          <Trans>Job</Trans>{' '}
          <span className="mono" title={id}>
            {shortId(id)}
          </span>
        </h2>
        <span className="end">
          <button type="button" className="btn quiet sm icon" aria-label={t`Copy the id`} onClick={copy}>
            <Icon name="copy" small />
          </button>
          <button type="button" className="btn quiet sm icon" aria-label={t`Close`} onClick={onClose}>
            <Icon name="close" small />
          </button>
        </span>
      </header>
      <div className="rule-top job-body">
        <Loaded answer={answer}>{(detail) => <Body detail={detail} />}</Loaded>
      </div>
    </section>
  )
}

function Body({ detail }: { detail: Detail }) {
  const { t } = useLingui()
  const open = !DELIVERED_JOB_STATES.includes(detail.state) && detail.kind !== 'proof'
  return (
    <>
      <Facts detail={detail} />
      {open && <CancelJob id={detail.id} onFailed={reportFailure} />}
      <Amounts detail={detail} />
      {detail.digest !== null && (
        <dl className="kv rule-top part">
          <dt>
            <Trans>Nonce</Trans>
          </dt>
          <dd className="mono" title={detail.nonce ?? undefined}>
            {detail.nonce}
          </dd>
          <dt>
            <Trans>Digest</Trans>
          </dt>
          <dd className="mono" title={detail.digest}>
            {shortId(detail.digest)}
          </dd>
          <dt>
            <Trans>Difficulty</Trans>
          </dt>
          <dd>{detail.difficulty === null ? NONE : count(BigInt(detail.difficulty))}</dd>
        </dl>
      )}
      <div className="rule-top part">
        <div className="spread">
          <h3>{t`Evidence`}</h3>
          <Verified verification={detail.verification} />
        </div>
        <Evidence detail={detail} />
      </div>
      {detail.kind !== 'proof' && (
        <div className="rule-top part">
          <h3>{t`Input`}</h3>
          {detail.input === null ? <p className="muted note">{t`Not kept.`}</p> : <JobInput input={detail.input} />}
          <h3>{t`Output`}</h3>
          {detail.output === null ? (
            <p className="muted note">{open ? t`Not there yet.` : t`None.`}</p>
          ) : (
            <JobOutput detail={detail} />
          )}
        </div>
      )}
      <div className="rule-top part">
        <h3>{t`Path`}</h3>
        <dl className="kv">
          {detail.path.map((step) => (
            <PathStep key={`${step.state} ${step.at}`} step={step} isOwn={detail.origin === 'person'} />
          ))}
        </dl>
      </div>
    </>
  )
}

function PathStep({ step: { state, at }, isOwn }: { step: Detail['path'][number]; isOwn: boolean }) {
  return (
    <>
      <dt>
        <StateWord state={state} isOwn={isOwn} />
      </dt>
      <dd title={dayClock(at)}>{clockSeconds(at)}</dd>
    </>
  )
}

function Facts({ detail }: { detail: Detail }) {
  const { t } = useLingui()
  const messages = useMessages()
  const device = useStore((state) => state.devices?.find((one) => one.id === detail.deviceId))
  const speed = tokensPerSecond(detail)
  const origins: Record<Detail['origin'], string> = {
    person: t`your own`,
    sample: t`synthetic job`,
    network: t`the network`,
  }
  return (
    <dl className="kv part">
      <dt>
        <Trans>State</Trans>
      </dt>
      <dd>
        <StateBadge state={detail.state} isOwn={detail.origin === 'person'} />
      </dd>
      {detail.state === 'held' && (
        <>
          <dt>
            <Trans>Why</Trans>
          </dt>
          <dd className="wrap">{t`The network credits it once it has checked it.`}</dd>
        </>
      )}
      {detail.reason !== null && (
        <>
          <dt>
            <Trans>Why</Trans>
          </dt>
          <dd className="wrap">{refusalWords(detail.reason, messages)}</dd>
        </>
      )}
      <dt>
        <Trans>Kind</Trans>
      </dt>
      <dd>
        {detail.kind}, {origins[detail.origin]}
      </dd>
      <dt>
        <Trans>Model</Trans>
      </dt>
      <dd title={detail.modelHash ?? undefined}>{detail.model}</dd>
      <dt>
        <Trans>Device</Trans>
      </dt>
      <dd title={device?.name}>{device?.name ?? detail.deviceId ?? NONE}</dd>
      <dt>
        <Trans>Started</Trans>
      </dt>
      <dd>{detail.startedAt === null ? NONE : clockSeconds(detail.startedAt)}</dd>
      <dt>
        <Trans>Took</Trans>
      </dt>
      <dd>{detail.milliseconds === null ? NONE : duration(detail.milliseconds)}</dd>
      {detail.tokens && (
        <>
          <dt>
            <Trans>Tokens</Trans>
          </dt>
          <dd>
            {detail.kind === 'chat'
              ? t`${count(detail.tokens.input)} in, ${count(detail.tokens.output)} out`
              : t`${count(detail.tokens.input)} in`}
          </dd>
          {speed !== null && (
            <>
              <dt>
                <Trans>Speed</Trans>
              </dt>
              <dd>{t`${speed} tokens/s`}</dd>
            </>
          )}
        </>
      )}
    </dl>
  )
}

function Amounts({ detail }: { detail: Detail }) {
  const { t } = useLingui()
  const macsPerJoule = detail.macs !== null && detail.energy.joules ? Number(detail.macs) / detail.energy.joules : null
  const factor = detail.factorMilli === null ? null : Number(detail.factorMilli) / 1000
  return (
    <dl className="kv rule-top part">
      <dt>
        <Trans>Work</Trans>
      </dt>
      <dd>{detail.macs === null ? NONE : `${gigaMacs(detail.macs)} GMAC`}</dd>
      <dt>
        <Trans>Energy</Trans>
      </dt>
      <dd title={detail.energy.source}>
        {detail.energy.joules === undefined ? NONE : `${joules(detail.energy.joules)} J`}{' '}
        <Qualifier certainty={detail.energy.certainty ?? null} source={detail.energy.source} />
      </dd>
      <dt>
        <Trans>Electricity</Trans>
      </dt>
      <dd className="wrap">
        {detail.electricityCost === null ? (
          NONE
        ) : (
          <>
            {jobCost(detail.electricityCost)} {microUnit(detail.electricityCost.currency)}{' '}
            <span className="muted">{detail.electricityCost.priceAssumed ? t`price assumed` : t`at your price`}</span>
          </>
        )}
      </dd>
      <dt>
        <Trans>Efficiency</Trans>
      </dt>
      <dd>{macsPerJoule === null ? NONE : joined(scaled(macsPerJoule, 'MAC/J'), ' ')}</dd>
      <dt>{factor === null ? t`Credit` : t`Credit, × ${factor}`}</dt>
      <dd>{detail.creditMacs === null || hasNoCredit(detail.state) ? NONE : `${gigaMacs(detail.creditMacs)} GMAC`}</dd>
    </dl>
  )
}

import { Trans, useLingui } from '@lingui/react/macro'
import { useState } from 'react'
import { DELIVERED_JOB_STATES } from '#shared/domain/states'
import type { Failure } from '#shared/domain/errors'
import { useAnswer } from '../../data/answer'
import { useNow } from '../../data/live'
import { duration, gigaMacs, jobCost, joules, microUnit, span } from '../../ui/format'
import { Loaded, Problem } from '../../ui/parts'
import { refusalWords } from '../../ui/refusals'
import { useMessages } from '../../ui/messages'
import { StateBadge, Verified } from '../../ui/states'
import { CancelJob } from './CancelJob'
import { tokensPerSecond } from './job-rate'
import { JobOutput } from './JobResult'

/** A job that the person just started: its state, its text as it is generated, a button that cancels it, and its result. */
export function RunningJob({ id, tokens }: { id: string; tokens: string }) {
  const { t } = useLingui()
  const messages = useMessages()
  const now = useNow()
  const answer = useAnswer('jobs.get', { id }, { on: ['job.changed'], restMilliseconds: 100, everyMilliseconds: 2000 })
  const [failure, setFailure] = useState<Failure | null>(null)
  return (
    <Loaded answer={answer}>
      {(detail) => {
        const speed = tokensPerSecond(detail)
        const over = DELIVERED_JOB_STATES.includes(detail.state) && detail.state !== 'submitted'
        return (
          <div className="result">
            <output className="spread">
              <span className="row">
                <StateBadge state={detail.state} isOwn={detail.origin === 'person'} />
                <span className="muted">
                  {detail.model}
                  {over && detail.milliseconds !== null && `, ${duration(detail.milliseconds)}`}
                  {over && speed !== null && t`, ${speed} tokens/s`}
                  {!over && t`, ${span(now - detail.at)} so far`}
                </span>
              </span>
              {over ? (
                detail.creditMacs !== null && (
                  <span className="row">
                    <Verified verification={detail.verification} />
                    {detail.joules !== null && (
                      <span className="soft">
                        {t`${joules(detail.joules)} J`}
                        {detail.electricityCost &&
                          `, ${jobCost(detail.electricityCost)} ${microUnit(detail.electricityCost.currency)}`}
                      </span>
                    )}
                    <span className="soft">{t`credit ${gigaMacs(detail.creditMacs)} GMAC`}</span>
                  </span>
                )
              ) : (
                <CancelJob id={id} onCancelled={answer.reload} onFailed={setFailure} />
              )}
            </output>
            {detail.state === 'queued' && (
              <p className="soft">
                <Trans>It waits for a device that is free.</Trans>
              </p>
            )}
            {detail.state === 'held' && (
              <p className="soft">
                <Trans>The network credits it once it has checked it.</Trans>
              </p>
            )}
            {over && detail.reason !== null && <p className="soft">{refusalWords(detail.reason, messages)}</p>}
            {detail.output === null ? (
              tokens !== '' && <div className="text-box">{tokens}</div>
            ) : (
              <JobOutput detail={detail} />
            )}
            {failure && <Problem failure={failure} />}
          </div>
        )
      }}
    </Loaded>
  )
}

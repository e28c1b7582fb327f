import { useLingui } from '@lingui/react/macro'
import type { Result } from '#shared/contract/index'
import type { WorkKind } from '#shared/contract/jobs'
import type { Answer } from '../../data/answer'
import { count, percent, scaled } from '../../ui/format'
import { Loaded, Qualifier } from '../../ui/parts'

const KINDS: readonly WorkKind[] = ['chat', 'embed', 'ocr', 'proof']

/** Today by kind: how many, which share of the work, and work per joule. */
export function KindSummary({ answer }: { answer: Answer<Result<'jobs.summary'>> }) {
  const { t } = useLingui()
  return (
    <section className="panel kind-panel" aria-label={t`Today by kind`}>
      <Loaded answer={answer}>
        {(rows) => {
          const all = rows.reduce((sum, row) => sum + BigInt(row.macs), 0n)
          return (
            <div className="kinds">
              {KINDS.map((kind) => {
                const row = rows.find((one) => one.kind === kind)
                const share = row && all > 0n ? Number(BigInt(row.macs)) / Number(all) : 0
                const efficiency = row?.macsPerJoule == null ? null : scaled(row.macsPerJoule, 'MAC/J')
                return (
                  <div className="kcell" key={kind}>
                    <div className="row kind">
                      <i className={`k-${kind} kind-mark`} />
                      <span className="soft">{kind}</span>
                      <span className="grow" />
                      <b className="num">{count(row?.count ?? 0)}</b>
                      <span className="muted">{kind === 'proof' ? t`shares` : t`jobs`}</span>
                    </div>
                    <div className="spread note">
                      <span className="muted nowrap">{t`${percent(share)} of work`}</span>
                      {efficiency && (
                        <Qualifier certainty={row?.joulesCertainty ?? null}>
                          {efficiency.figure} {efficiency.unit}
                          {row?.joulesCertainty === 'measured' ? '' : t`, est.`}
                        </Qualifier>
                      )}
                    </div>
                  </div>
                )
              })}
            </div>
          )
        }}
      </Loaded>
    </section>
  )
}

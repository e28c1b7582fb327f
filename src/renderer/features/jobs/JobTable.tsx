/** The table of jobs: up to a million rows, of which only the visible ones are drawn. */
import { useVirtualizer } from '@tanstack/react-virtual'
import { Trans, useLingui } from '@lingui/react/macro'
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'
import type { WorkFilter, WorkRow } from '#shared/contract/jobs'
import { hasNoCredit } from '#shared/domain/states'
import { count, gigaMacs, jobCost, joules, microUnit, NONE, shortTime } from '../../ui/format'
import { tokensPerSecond } from './job-rate'
import { Empty, FigureHead, Loading, Problem } from '../../ui/parts'
import { StateBadge, Verified } from '../../ui/states'
import { useJobPages } from './use-job-pages'
import { refusalWords } from '../../ui/refusals'
import { useMessages } from '../../ui/messages'

const ROW_PIXELS = 32
const HEAD_PIXELS = 40
/** Chromium draws no element higher than 33.5 million pixels. */
const MOST_ROWS = 1_000_000

interface JobTableProps {
  filter: WorkFilter
  filtered: boolean
  chosen: string
  onChoose: (id: string) => void
}

export function JobTable({ filter, filtered, chosen, onChoose }: JobTableProps) {
  const { t } = useLingui()
  const scroller = useRef<HTMLDivElement>(null)
  const body = useRef<HTMLTableSectionElement>(null)
  const [following, setFollowing] = useState(true)
  const pages = useJobPages(filter, following)
  const shown = Math.min(pages.total ?? 0, MOST_ROWS)
  const virtualizer = useVirtualizer({
    count: shown,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PIXELS,
    overscan: 12,
  })
  const items = virtualizer.getVirtualItems()
  const first = items[0]?.index ?? 0
  const start = items[0]?.start ?? 0
  // A script moves the rows inside a box that does not scroll: a browser misplaces lines at 32 million pixels.
  const place = useCallback(() => {
    if (body.current) body.current.style.transform = `translateY(${start - (scroller.current?.scrollTop ?? 0)}px)`
  }, [start])
  useLayoutEffect(place)
  const last = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (shown > 0) pages.want(first, last)
  }, [pages, shown, first, last])

  if (pages.total === null)
    return pages.failure ? <Problem failure={pages.failure} onRetry={() => pages.follow()} /> : <Loading />
  if (pages.total === 0) {
    return filtered ? (
      <Empty title={t`No matching jobs`}>
        <Trans>Choose another kind or state, or empty the search.</Trans>
      </Empty>
    ) : (
      <Empty title={t`No jobs yet`}>
        <Trans>Each share and each job appears here as it runs. Start mining, or run a job of your own.</Trans>
      </Empty>
    )
  }
  const price = pages.row(first)?.electricityCost ?? pages.row(last)?.electricityCost ?? null
  const costTitle =
    price?.priceAssumed === false
      ? t`Electricity, in millionths, at your price; grey figures are estimated`
      : t`Electricity, in millionths, at an assumed price: set yours in Settings`
  const toTop = (): void => {
    virtualizer.scrollToOffset(0)
    setFollowing(true)
  }
  return (
    <>
      <div
        className="virtual"
        ref={scroller}
        onScroll={(event) => {
          place()
          setFollowing(event.currentTarget.scrollTop < ROW_PIXELS)
        }}
      >
        <div style={{ height: virtualizer.getTotalSize() + HEAD_PIXELS }}>
          <div className="viewport">
            <table className="tbl jobs" aria-rowcount={pages.total + 1}>
              <caption className="sr">{t`Jobs`}</caption>
              <colgroup>
                <col className="w-time" />
                <col className="w-kind" />
                <col />
                <col className="w-tokens wide-only" />
                <col className="w-rate wide-only list-only" />
                <col className="w-amount" />
                <col className="w-amount" />
                <col className="w-amount list-only" />
                <col className="w-amount" />
                <col className="w-state" />
                <col className="w-check" />
              </colgroup>
              <thead>
                <tr aria-rowindex={1}>
                  <th>{t`Time`}</th>
                  <th>{t`Kind`}</th>
                  <th>{t`Model`}</th>
                  <th className="r wide-only">{t`Tokens`}</th>
                  <FigureHead name={t`Speed`} unit={t`tok/s`} className="wide-only list-only" />
                  <FigureHead name={t`Work`} unit="GMAC" />
                  <FigureHead name={t`Energy`} unit="J" title={t`Energy: grey figures are estimated`} />
                  <FigureHead
                    name={t`Cost`}
                    unit={microUnit(price?.currency ?? 'USD')}
                    title={costTitle}
                    className="list-only"
                  />
                  <FigureHead name={t`Credit`} unit="GMAC" />
                  <th>{t`State`}</th>
                  <th>{t`Verified`}</th>
                </tr>
              </thead>
              <tbody ref={body}>
                {items.map((item) => (
                  <Row
                    key={item.key}
                    index={item.index}
                    row={pages.row(item.index)}
                    chosen={chosen}
                    onChoose={onChoose}
                  />
                ))}
              </tbody>
            </table>
          </div>
        </div>
      </div>
      <div className="rule-top spread now-foot">
        {following ? (
          <span className="badge ok">
            <i className="following" />
            {t`Following new jobs`}
          </span>
        ) : (
          <button type="button" className="btn quiet sm" onClick={toTop}>
            {pages.newer > 0 ? t`Newest, ${count(pages.newer)} more` : t`To the newest`}
          </button>
        )}
        <span className="num soft">
          {pages.total > MOST_ROWS
            ? t`newest ${count(MOST_ROWS)} of ${count(pages.total)}; filter or export for the rest`
            : filtered
              ? t`${count(pages.total)} matching, newest first`
              : pages.total === 1
                ? t`one row`
                : t`${count(pages.total)} jobs and shares, newest first`}
        </span>
      </div>
    </>
  )
}

function Row({
  index,
  row,
  chosen,
  onChoose,
}: {
  index: number
  row: WorkRow | undefined
  chosen: string
  onChoose: (id: string) => void
}) {
  const messages = useMessages()
  const { t } = useLingui()
  if (!row) {
    return (
      <tr aria-rowindex={index + 2}>
        <td className="muted">{NONE}</td>
      </tr>
    )
  }
  const estimated = row.joulesCertainty !== 'measured'
  const rate = tokensPerSecond(row)
  return (
    <tr aria-rowindex={index + 2} aria-selected={row.id === chosen} onClick={() => onChoose(row.id)}>
      <td className="num">
        <button
          type="button"
          className="row-button"
          aria-label={t`${row.kind}, ${shortTime(row.at)}: show`}
          onClick={() => onChoose(row.id)}
        >
          {shortTime(row.at)}
        </button>
      </td>
      <td>
        <span className="row kind">
          <i className={`k-${row.kind} kind-dot`} />
          {row.kind}
        </span>
      </td>
      <td className="name" title={row.model}>
        {row.model}
      </td>
      <td className="r wide-only">
        {row.tokens === null ? (
          <span className="muted">{NONE}</span>
        ) : row.tokens.output > 0 ? (
          `${count(row.tokens.input)} + ${count(row.tokens.output)}`
        ) : (
          count(row.tokens.input)
        )}
      </td>
      <td className={`r wide-only list-only ${rate === null ? 'muted' : ''}`}>{rate === null ? NONE : rate}</td>
      <Amount text={gigaMacs(row.macs)} />
      <Amount text={joules(row.joules)} estimated={estimated} />
      <Amount
        text={jobCost(row.electricityCost)}
        estimated={estimated || row.electricityCost?.priceAssumed === true}
        listOnly
      />
      <Amount text={hasNoCredit(row.state) ? NONE : gigaMacs(row.creditMacs)} estimated={row.state === 'held'} />
      <td title={row.reason === null ? undefined : refusalWords(row.reason, messages)}>
        <StateBadge state={row.state} isOwn={row.origin === 'person'} />
      </td>
      <td>
        <Verified verification={row.verification} isUnderHead />
      </td>
    </tr>
  )
}

function Amount({
  text,
  estimated = false,
  listOnly = false,
}: {
  text: string
  estimated?: boolean
  listOnly?: boolean
}) {
  return (
    <td className={`r ${listOnly ? 'list-only' : ''} ${text === NONE ? 'muted' : estimated ? 'est' : ''}`}>{text}</td>
  )
}

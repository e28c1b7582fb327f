import type { DayRow } from '#shared/contract/earnings'
import type { Handlers } from '#shared/contract/index'
import { electricityCostMicros } from '#shared/domain/electricity'
import type { EngineContext } from '../context'
import { creditsAsCsv } from '../ledger'
import { localDate, localDays, periodStart, electricityPrice, pinnedNetworkKeys } from '../base'

export function earningsHandlers(
  context: EngineContext,
): Pick<Handlers, 'earnings.funnel' | 'earnings.days' | 'earnings.credits' | 'earnings.export' | 'ledger.verify'> {
  const { ledger, clock } = context
  return {
    'earnings.funnel': async ({ period }) => {
      const from = periodStart(period, clock.now())
      return ledger.funnel(period, from === null ? {} : { from })
    },
    'earnings.days': async ({ period }) => {
      const now = clock.now()
      const from = periodStart(period, now) ?? ledger.firstCreditAt() ?? now
      return days(context, localDays(from, now))
    },
    'earnings.credits': async ({ offset, limit }) => ledger.creditPage(offset, limit),
    'earnings.export': async ({ format, from, to }) => {
      const lines = ledger.exportCredits({
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
      })
      const name = `lode-credits-${localDate(clock.now())}`
      if (format === 'csv') return { fileName: `${name}.csv`, text: [...creditsAsCsv(lines)].join('') }
      return { fileName: `${name}.json`, text: `${JSON.stringify([...lines], null, 1)}\n` }
    },
    'ledger.verify': async () => {
      const steps = ledger.verifyInSteps({ signatures: context.signatures, networkKeys: pinnedNetworkKeys(ledger) })
      for (;;) {
        const step = steps.next()
        if (step.done) return step.value
        // The engine does its other work between two steps of the check.
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
  }
}

function days({ ledger, metrics, settings, powers }: EngineContext, bounds: { from: number; to: number }[]): DayRow[] {
  const { micros } = electricityPrice(settings.current)
  const { currency } = settings.current
  return ledger.creditDays(bounds).map((day) => {
    const used = metrics.energy(day.from, day.to)
    return {
      day: localDate(day.from),
      creditMacs: day.creditMacs.toString(),
      proofMacs: day.kinds.proof.creditMacs.toString(),
      jobMacs: {
        chat: day.kinds.chat.creditMacs.toString(),
        embed: day.kinds.embed.creditMacs.toString(),
        ocr: day.kinds.ocr.creditMacs.toString(),
      },
      energy: { ...(used === null ? {} : used), source: powers.of('cpu0').source },
      electricityCost:
        used === null ? null : { micros: electricityCostMicros(used.joules, micros).toString(), currency },
    }
  })
}

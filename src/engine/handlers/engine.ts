import type { Handlers } from '#shared/contract/index'
import type { TodaySummary } from '#shared/contract/engine'
import type { EngineContext } from '../context'
import { localMidnight } from '../local-days'
import { electricityCostMicros, electricityPrice } from '../settings'

export function engineHandlers(
  context: EngineContext,
): Pick<
  Handlers,
  | 'engine.status'
  | 'engine.start'
  | 'engine.stop'
  | 'engine.keepGoing'
  | 'engine.today'
  | 'engine.history'
  | 'engine.quit'
> {
  return {
    'engine.status': async () => context.status(),
    'engine.start': async (options) => {
      await context.mining.start(options ?? {})
      return context.status()
    },
    'engine.stop': async (options) => {
      await context.mining.stop(options)
      return context.status()
    },
    'engine.keepGoing': async ({ keepGoing }) => {
      context.mining.keepGoing(keepGoing)
      return context.status()
    },
    'engine.today': async () => today(context),
    'engine.history': async ({ period }) => context.metrics.history(period),
    'engine.quit': async () => {
      context.requestQuit()
      return null
    },
  }
}

function today({ ledger, metrics, settings, clock, devices }: EngineContext): TodaySummary {
  const now = clock.now()
  const from = localMidnight(now)
  const accepted = ledger.acceptedSince(from)
  const used = metrics.energy(from, now + 1)
  const { micros, assumed } = electricityPrice(settings.current)
  const { currency } = settings.current
  const source = devices.powerSource()
  const cost = used === null ? null : electricityCostMicros(used.joules, micros)
  return {
    creditMacs: accepted.creditMacs.toString(),
    shares: accepted.shares,
    jobs: accepted.jobs,
    energy: { ...(used === null ? {} : used), source },
    electricityCost: cost === null ? null : { micros: cost.toString(), currency },
    pricePerKilowattHour: { micros: micros.toString(), currency, assumed },
    // Practice pays nothing: what is left is minus the electricity.
    net: cost === null ? null : { micros: (-cost).toString(), currency },
    miningSeconds: metrics.miningSeconds(from, now + 1),
  }
}

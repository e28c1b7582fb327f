import type { Handlers } from '#shared/contract/index'
import type { Money } from '#shared/contract/common'
import type { TodaySummary } from '#shared/contract/engine'
import { electricityCostMicros } from '#shared/domain/electricity'
import { workEnergy } from '#shared/domain/energy'
import type { EngineContext } from '../context'
import { engineStatus } from '../status'
import { localMidnight, electricityPrice } from '../base'

/** How long `engine.stop` waits for answers of the network: with it, the whole call takes less than two seconds. */
const DRAIN_MILLISECONDS = 1000

export function engineHandlers(
  context: EngineContext,
): Pick<
  Handlers,
  | 'engine.status'
  | 'engine.start'
  | 'engine.stop'
  | 'engine.keepGoing'
  | 'engine.presence'
  | 'engine.today'
  | 'engine.history'
  | 'engine.quit'
> {
  return {
    'engine.status': async () => engineStatus(context),
    'engine.start': async (options) => {
      await context.mining.start(options ?? {})
      return engineStatus(context)
    },
    'engine.stop': async (options) => {
      await context.mining.stop(options)
      // Work that was sent a moment ago is answered a moment later: the totals must contain it.
      await context.submissions.drained(DRAIN_MILLISECONDS)
      return engineStatus(context)
    },
    'engine.keepGoing': async ({ keepGoing }) => {
      context.mining.keepGoing(keepGoing)
      return engineStatus(context)
    },
    'engine.today': async () => today(context),
    'engine.history': async ({ period }) => context.metrics.history(period),
    'engine.presence': async ({ idleSeconds }) => {
      context.throttle.present(idleSeconds)
      return null
    },
    'engine.quit': async () => {
      context.requestQuit()
      return null
    },
  }
}

function today({ ledger, metrics, settings, clock, devices, powers }: EngineContext): TodaySummary {
  const now = clock.now()
  const from = localMidnight(now)
  const accepted = ledger.acceptedSince(from)
  const { micros: price, assumed } = electricityPrice(settings.current)
  const { currency } = settings.current
  const amount = (micros: bigint): Money => ({ micros: micros.toString(), currency })
  const power = devices.fullLoadPowers()
  const isKnown = power.length > 0 && power.every(({ watts }) => watts !== null)
  const wattsAtFullLoad = power.reduce((sum, { watts }) => sum + (watts ?? 0), 0)
  // If power is known and nothing was mined today, the energy is 0 J, not unknown.
  const used = metrics.energy(from, now + 1) ?? (isKnown ? workEnergy(0, 0) : null)
  const cost = used === null ? null : electricityCostMicros(used.joules, price)
  return {
    creditMacs: accepted.creditMacs.toString(),
    shares: accepted.shares,
    jobs: accepted.jobs,
    energy: { ...(used === null ? {} : used), source: powers.of('cpu0').source },
    electricityCost: cost === null ? null : amount(cost),
    pricePerKilowattHour: { ...amount(price), assumed },
    // Practice pays nothing: the net amount is minus the cost of electricity.
    net: cost === null ? null : amount(-cost),
    expectedCostPerHour: isKnown ? amount(electricityCostMicros(wattsAtFullLoad * 3600, price)) : null,
    miningSeconds: metrics.miningSeconds(from, now + 1),
  }
}

/**
 * What a rig or a buyer may cost in a minute (protocol.md §7). Each of its budgets is a token bucket. Who goes over is slowed:
 * a refusal `over-budget` says which budget and from when on, and nothing was judged. Who goes on as if nothing were said is
 * paused. All of it is kept in memory, since a minute later it is worth nothing: a coordinator that restarts begins with full
 * budgets.
 */
import { refuse, type Refused } from './refusals'

/** A token bucket. */
export interface Allowance {
  /** what comes back in a minute, evenly */
  aMinute: number
  /** what may be used at once */
  atOnce: number
}

/** `requests`: of a session, `pieces` excepted: texts that `publishTokens` passes on. `characters`: of messages, before they are parsed. `verification`: MACs that are recomputed. */
export type BudgetName = 'requests' | 'pieces' | 'characters' | 'verification'

export interface BudgetRules {
  rig: Readonly<Record<BudgetName, Allowance>>
  buyer: Readonly<Record<BudgetName, Allowance>>
  /** refusals `over-budget` after which a rig or a buyer is paused */
  patience: Allowance
  pauseSeconds: number
}

const MEBI = 1024 * 1024
/** Of what a buyer's session cannot ask for. */
const NONE: Allowance = { aMinute: 0, atOnce: 0 }

/**
 * Room for an honest rig of 64 devices (`MAX_DEVICES`) that prove on `itp1-base` at a share interval of 10 s, and for eight
 * chats that it answers at once:
 *
 * - Shares: 64 × 6 = 384 a minute, by chance: a Poisson variable whose standard deviation is 20. A device whose rate rose by
 *   half after its lease (then it leases anew) finds 576. 640 recomputations a minute come back, so the bucket gains while the
 *   devices keep their rates; 1,280 at once are fifty standard deviations of a minute, and the ramp, two quick shares a device
 *   (128), is a tenth of them. A rig with as many devices as a message holds is so never slowed by luck.
 * - Requests a minute: 576 shares, 768 units (a rate that changes leases another one each 5 s), 384 renewals of the 64 jobs that
 *   a rig may hold, 128 looks at the epoch: 1,856. The other 4,144 are for jobs, three requests each (one of them finds no other
 *   job): 23 a second.
 * - Pieces: one a token. Eight chats on a graphics processor at 250 tokens a second each make 120,000 a minute.
 * - Characters: the longest message (`MAX_MESSAGE_CHARACTERS`, 128 Mi) twice at once, and as much a minute.
 *
 * A refused request costs little, so patience is as large as the budget of requests.
 */
export const DEFAULT_BUDGETS: BudgetRules = {
  rig: {
    requests: { aMinute: 6000, atOnce: 6000 },
    pieces: { aMinute: 120_000, atOnce: 120_000 },
    characters: { aMinute: 256 * MEBI, atOnce: 256 * MEBI },
    verification: { aMinute: 640 * 13_019_119_616, atOnce: 1280 * 13_019_119_616 },
  },
  buyer: {
    requests: { aMinute: 6000, atOnce: 6000 },
    pieces: NONE,
    characters: { aMinute: 256 * MEBI, atOnce: 256 * MEBI },
    verification: NONE,
  },
  patience: { aMinute: 6000, atOnce: 6000 },
  pauseSeconds: 300,
}

export interface Spender {
  role: 'rig' | 'buyer'
  /** the rig's key, the buyer's name */
  key: string
}

export interface Budgets {
  /** Takes an amount from a budget. Why nothing is done for this rig or buyer now; undefined: the amount was there, and is taken. */
  take(who: Spender, budget: BudgetName, amount: number): Refused | undefined
}

/** Accounts that are remembered at once. */
const MOST_REMEMBERED = 10_000
/** Of the accounts that were used longest ago, so many are looked at for one whose budgets are full. */
const LOOKED_AT = 100

/** The last time that a date can name, UTC ms. */
const LAST_DATE = 8.64e15

interface Bucket {
  level: number
  /** UTC ms at which the bucket had that level */
  at: number
}
interface Account {
  role: Spender['role']
  buckets: Map<BudgetName, Bucket>
  patience: Bucket
  /** UTC ms until which nothing is done for it */
  pausedUntil: number
}

const LACKING: Readonly<Record<BudgetName, string>> = {
  requests: 'requests',
  pieces: 'pieces of text',
  characters: 'characters of messages',
  verification: 'verification',
}

/** In memory, of a bounded number of rigs and buyers: of those used longest ago the first with full budgets is forgotten first. */
export function createBudgets(
  clock: { now(): number },
  rules: BudgetRules = DEFAULT_BUDGETS,
  mostRemembered = MOST_REMEMBERED,
): Budgets {
  /** the one that was used longest ago stands first */
  const accounts = new Map<string, Account>()

  const accountOf = ({ role, key }: Spender, now: number): Account => {
    const name = `${role}/${key}`
    const account = accounts.get(name) ?? {
      role,
      buckets: new Map(),
      patience: { level: rules.patience.atOnce, at: now },
      pausedUntil: 0,
    }
    const isNew = !accounts.delete(name)
    if (isNew && accounts.size >= mostRemembered) forgetOne(now)
    accounts.set(name, account)
    return account
  }
  const forgetOne = (now: number): void => {
    let looked = 0
    let [forgotten] = accounts.keys()
    for (const [name, account] of accounts) {
      if (looked++ === LOOKED_AT) break
      if (!isFull(account, now)) continue
      forgotten = name
      break
    }
    if (forgotten !== undefined) accounts.delete(forgotten)
  }
  const isFull = ({ role, buckets, patience, pausedUntil }: Account, now: number): boolean =>
    pausedUntil <= now &&
    levelAt(patience, rules.patience, now) >= rules.patience.atOnce &&
    [...buckets].every(([budget, bucket]) => levelAt(bucket, rules[role][budget], now) >= rules[role][budget].atOnce)

  /** Counts a refusal, and pauses who had too many. */
  const overBudget = (account: Account, budget: BudgetName, missing: number, now: number): Refused => {
    const { aMinute } = rules[account.role][budget]
    const patience = levelAt(account.patience, rules.patience, now) - 1
    account.patience = { level: patience, at: now }
    if (patience < 0) {
      account.pausedUntil = now + rules.pauseSeconds * 1000
      account.patience.level = rules.patience.atOnce
      return paused(account)
    }
    // A millionth of a millisecond is what rounding makes of nothing.
    const from = now + Math.ceil((missing * 60_000) / aMinute - 1e-6)
    const when = from <= LAST_DATE ? `Ask again from ${new Date(from).toISOString()}.` : 'Do not ask again.'
    return refuse('over-budget', `The budget of ${LACKING[budget]} a minute is used up. ${when}`)
  }

  return {
    take: (who, budget, amount) => {
      const now = clock.now()
      const account = accountOf(who, now)
      if (account.pausedUntil > now) return paused(account)
      const allowance = rules[who.role][budget]
      const bucket = account.buckets.get(budget)
      const level = bucket === undefined ? allowance.atOnce : levelAt(bucket, allowance, now)
      if (level >= amount) {
        account.buckets.set(budget, { level: level - amount, at: now })
        return undefined
      }
      // The bucket goes on from the time of its level, unless the clock was set back behind that.
      if (bucket === undefined || now < bucket.at) account.buckets.set(budget, { level, at: now })
      return overBudget(account, budget, amount > allowance.atOnce ? Infinity : amount - level, now)
    },
  }
}

/** A clock that was set back gives nothing, and takes nothing away. */
function levelAt({ level, at }: Bucket, { aMinute, atOnce }: Allowance, now: number): number {
  return Math.min(atOnce, level + (aMinute * Math.max(0, now - at)) / 60_000)
}

function paused({ pausedUntil }: Account): Refused {
  const until = new Date(pausedUntil).toISOString()
  return refuse('over-budget', `It went on asking over its budgets, so it is paused. Ask again from ${until}.`)
}

/**
 * The order in which a device wants jobs of its models: by credit a second on this device; models with nearly the same rate
 * by credit a joule. A change of model costs a load, so the model in use and those in memory count a little more.
 */

export interface ModelStanding {
  /** credited MACs a second of this device; null: not measured here */
  creditPerSecond: number | null
  /** credited MACs a joule; null: not known */
  creditPerJoule: number | null
  /** the model of the last job */
  isInUse: boolean
  /** its weights are in memory */
  isLoaded: boolean
}

/** Another model must earn a quarter more before the device changes to it. This hysteresis keeps it from changing back and forth. */
const IN_USE_GAIN = 1.25
/** The advantage of a model in memory over one whose weights must be read first. */
const LOADED_GAIN = 1.1
/** Rates nearer than this are alike: measurements of a busy machine are no better. */
const ALIKE = 0.95

/** Orders models, the preferred first. A model that was never measured comes before all others: its first job measures it. */
export function orderModels<T extends ModelStanding>(models: readonly T[]): T[] {
  const worth = ({ creditPerSecond, isInUse, isLoaded }: ModelStanding): number =>
    (creditPerSecond ?? Infinity) * (isInUse ? IN_USE_GAIN : isLoaded ? LOADED_GAIN : 1)
  const perJoule = ({ creditPerJoule }: ModelStanding): number => creditPerJoule ?? 0
  const left = models.toSorted((one, other) => compare(worth(other), worth(one)))
  const ordered: T[] = []
  while (left.length > 0) {
    const best = worth(left[0]!)
    const count = left.findIndex((model) => worth(model) < best * ALIKE)
    const alike = left.splice(0, count < 0 ? left.length : count)
    ordered.push(...alike.toSorted((one, other) => compare(perJoule(other), perJoule(one))))
  }
  return ordered
}

/** Compares two rates, also if both are Infinity. */
function compare(one: number, other: number): number {
  return one === other ? 0 : one - other
}

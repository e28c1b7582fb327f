/** Models that a network lists by itself, because they are its own person's. */
import type { JobKind } from '#shared/domain/job'
import type { MacFormula } from '#shared/domain/manifest'
import type { ListedModel } from '#shared/protocol/parameters'
import type { CoordinatorConfiguration } from './configuration'

/** A model as the network's own verifier counted it, from its files. */
export interface CountedModel {
  kind: JobKind
  name: string
  /** tokens; 0 where it does not apply */
  context: number
  macFormula: MacFormula
}

/** The models of a person whose network lives in the same program. Other networks have none: their operator lists models. */
export interface OwnModels {
  /**
   * Counts a model from its graph, whatever its manifest says. Undefined: there is no such model. Rejects with Failure when
   * its files cannot be used, and `unavailable` when nothing can be counted now.
   */
  count(hash: string): Promise<CountedModel | undefined>
}

/** An own model as it is listed: what was counted, with the factor of its kind. */
export function ownModel(
  { hash, kind, name, context, macFormula }: CountedModel & { hash: string },
  { kindFactorsMilli }: Pick<CoordinatorConfiguration, 'kindFactorsMilli'>,
): ListedModel {
  const factorMilli = kindFactorsMilli[kind]
  return { hash, kind, name, context, macFormula, factorMilli, verification: 'unchecked' }
}

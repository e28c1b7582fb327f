/** Energy, amounts and sizes of work as the columns and statement parameters of ledger.db. */
import type { JobSizes } from '#shared/domain/job'
import type { CreditRecord } from './seal'
import type { WorkEnergy } from '#shared/domain/energy'
import type { WorkAmount } from './types'

/** joules, joules_certainty, joules_measured_share, joules_source */
export function energyColumns(energy: WorkEnergy): [number, string, number, string | null] {
  return [energy.joules, energy.certainty, energy.measuredShare, energy.source ?? null]
}

/** `@joules`, `@certainty`, `@measuredShare`, `@source`; all null where the energy is not known. */
export function energyParameters(energy: WorkEnergy | undefined): Record<string, number | string | null> {
  const [joules, certainty, measuredShare, source] =
    energy === undefined ? [null, null, null, null] : energyColumns(energy)
  return { joules, certainty, measuredShare, source }
}

export function amountColumns({
  macs,
  factorMilli,
  creditMacs,
}: WorkAmount): Pick<CreditRecord, 'macs' | 'factor_milli' | 'credit_macs'> {
  return { macs, factor_milli: factorMilli, credit_macs: creditMacs }
}

/** `@tokensIn`, `@tokensOut`; null for a kind that counts no tokens. */
export function tokenParameters(sizes: JobSizes): { tokensIn: number | null; tokensOut: number | null } {
  switch (sizes.kind) {
    case 'chat':
      return { tokensIn: sizes.promptTokens, tokensOut: sizes.generatedTokens }
    case 'embed':
      return { tokensIn: sizes.tokensPerText.reduce((sum, tokens) => sum + tokens, 0), tokensOut: 0 }
    case 'ocr':
      return { tokensIn: null, tokensOut: null }
  }
}

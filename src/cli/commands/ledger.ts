import { creditsAsCsv, openLedgerReadOnly } from '#engine/ledger/index'
import { signatureVerifier } from '#engine/networks/index'
import { pinnedNetworkKeys } from '#engine/settings'
import type { CommandContext } from '../lode'
import { EXIT_DONE, EXIT_FAILED } from '../output'
import { macs } from './status'

interface ExportOptions {
  csv?: boolean
  from?: number
  to?: number
}

/** `lode ledger export`: straight from the file, also while an engine writes it. */
export async function ledgerExport({ output, dataDir }: CommandContext, options: ExportOptions): Promise<void> {
  const ledger = openLedgerReadOnly(dataDir)
  if (ledger === null) return
  try {
    const lines = ledger.exportCredits({
      ...(options.from === undefined ? {} : { from: options.from }),
      ...(options.to === undefined ? {} : { to: options.to }),
    })
    if (options.csv) for (const line of creditsAsCsv(lines)) await write(line)
    else for (const line of lines) await write(`${JSON.stringify(line)}\n`)
  } finally {
    ledger.close()
  }
  if (process.stdout.isTTY) output.say('Practice, no market value.')
}

/** Waits for a slow reader instead of filling memory. */
function write(text: string): Promise<void> | undefined {
  return process.stdout.write(text) ? undefined : new Promise((resolve) => process.stdout.once('drain', resolve))
}

/** `lode ledger verify` */
export async function ledgerVerify({ output, dataDir }: CommandContext): Promise<number> {
  const ledger = openLedgerReadOnly(dataDir)
  if (ledger === null) {
    output.answer({ ok: true, credits: 0, receipts: 0, creditMacs: '0', problems: [] }, 'There is no ledger yet.')
    return EXIT_DONE
  }
  try {
    const report = ledger.verify({ signatures: signatureVerifier, networkKeys: pinnedNetworkKeys(ledger) })
    output.answer(report, [
      report.ok ? 'The ledger is in order.' : 'The ledger has problems:',
      ...report.problems.map((problem) => `  ${problem}`),
      `${report.credits} credits, ${report.receipts} receipts, ${macs(report.creditMacs)}. Practice, no market value.`,
    ])
    return report.ok ? EXIT_DONE : EXIT_FAILED
  } finally {
    ledger.close()
  }
}

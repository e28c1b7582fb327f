import { creditsAsCsv, openLedgerReadOnly } from '#engine/ledger/index'
import { signatureVerifier } from '#engine/network/index'
import { pinnedNetworkKeys } from '#engine/base/index'
import type { CommandContext } from '../command-context'
import { EXIT_DONE, EXIT_FAILED } from '../output'
import { macText } from '../figures'

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
    const texts = options.csv ? creditsAsCsv(lines) : asJson(lines)
    for (const text of texts) {
      await write(text)
      // The reader has seen enough (`lode ledger export | head`).
      if (process.stdout.destroyed) break
    }
  } finally {
    ledger.close()
  }
  if (process.stdout.isTTY) output.say('Practice, no market value.')
}

function* asJson(lines: Iterable<unknown>): Generator<string> {
  for (const line of lines) yield `${JSON.stringify(line)}\n`
}

/** Settles once the text is handed on or the reader is gone: waits for a slow reader instead of filling memory. */
const write = (text: string): Promise<void> => new Promise((resolve) => process.stdout.write(text, () => resolve()))

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
      `${report.credits} credits, ${report.receipts} receipts, ${macText(report.creditMacs)}. Practice, no market value.`,
    ])
    return report.ok ? EXIT_DONE : EXIT_FAILED
  } finally {
    ledger.close()
  }
}

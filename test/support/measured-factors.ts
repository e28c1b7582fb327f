/** The table that `npm run calibrate:factors` writes into docs/benchmarks.md. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './lode'

export interface MeasuredFactor {
  /** billions of multiply-accumulates a second */
  rate: number
  /** at which a second of the kind earns 1.25 × a second of proof */
  factorMilli: number
}

/** By the beginning of a row's name: `chat prompt`. Throws for one that is not there. */
export function measuredFactors(): (kind: string) => MeasuredFactor {
  const text = readFileSync(join(root, 'docs/benchmarks.md'), 'utf8')
  const section = /^## factors\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(text)?.[1] ?? ''
  const rows = [...section.matchAll(/^\| (?<name>[^|]+) \| (?<rate>[\d.]+) \| (?<factor>\d+) \|$/gm)]
  return (kind) => {
    const found = rows.find(({ groups }) => groups!['name']!.startsWith(`${kind},`))?.groups
    if (!found) throw new Error(`docs/benchmarks.md has no measured factor for ${kind}`)
    return { rate: Number(found['rate']), factorMilli: Number(found['factor']) }
  }
}

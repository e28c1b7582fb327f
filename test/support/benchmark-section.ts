/** docs/benchmarks.md: one section a benchmark, written as measured. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { resolve } from 'node:path'

const FILE = resolve(import.meta.dirname, '../../docs/benchmarks.md')
const HEAD =
  '# Benchmarks\n\nMeasured figures. `npm run bench -- NAME` measures again and replaces the section of that name.\n'

/** Replaces or appends the section `## name`; `body` is Markdown without that heading. */
export function writeBenchmarkSection(name: string, body: string): void {
  const text = existsSync(FILE) ? readFileSync(FILE, 'utf8') : HEAD
  const section = `## ${name}\n\n${body.trim()}\n`
  const kept = text
    .split(/^(?=## )/m)
    .map((part) => part.trimEnd())
    .filter((part) => part !== '')
  const place = kept.findIndex((part) => part.startsWith(`## ${name}\n`))
  if (place < 0) kept.push(section)
  else kept[place] = section
  writeFileSync(FILE, `${kept.map((part) => part.trimEnd()).join('\n\n')}\n`)
}

/** The machine and day of a measurement, in words. */
export function measuredOn(): string {
  const model = cpus()[0]?.model ?? 'unknown processor'
  return `${model}, ${availableParallelism()} logical processors, Node.js ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  const middle = Math.floor(sorted.length / 2)
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]]
  if (low === undefined || high === undefined) throw new RangeError('no values')
  return (low + high) / 2
}

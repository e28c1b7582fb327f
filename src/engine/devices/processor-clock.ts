/** The processor's clock as the system says it. */
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/**
 * Hertz of the fastest core now; null where the system does not say. Linux: "cpu MHz" in /proc/cpuinfo, what each core had
 * last; elsewhere what Node finds, which macOS and Windows do not bring up to date.
 */
export function processorClockHertz(
  readText: (file: string) => string = (file) => readFileSync(file, 'utf8'),
): number | null {
  const megahertz = Math.max(0, ...fromCpuinfo(readText), ...cpus().map(({ speed }) => speed))
  return megahertz > 0 ? megahertz * 1e6 : null
}

function fromCpuinfo(readText: (file: string) => string): number[] {
  try {
    return [...readText('/proc/cpuinfo').matchAll(/^cpu MHz\s*:\s*(\d+(?:\.\d+)?)/gm)].map(([, text]) => Number(text))
  } catch {
    return []
  }
}

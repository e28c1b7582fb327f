/** What the command line prints, and how it ends. Standard output carries the answer alone; everything else goes to standard error. */
import { Failure, failureInEnglish, toFailureValue } from '#shared/domain/errors'

export const EXIT_DONE = 0
export const EXIT_FAILED = 1
export const EXIT_WRONG_USAGE = 2

export interface Output {
  readonly json: boolean
  /** The answer: one JSON value, or lines for people. */
  answer(value: unknown, lines: readonly string[] | string): void
  /** One event or export line: an object a line with `--json`. */
  line(value: unknown, text: string | null): void
  /** For people only, on standard error. */
  say(text: string): void
}

export function createOutput(json: boolean): Output {
  const write = (text: string): void => void process.stdout.write(`${text}\n`)
  return {
    json,
    answer: (value, lines) => {
      if (json) write(JSON.stringify(value))
      else for (const line of typeof lines === 'string' ? [lines] : lines) write(line)
    },
    line: (value, text) => {
      if (json) write(JSON.stringify(value))
      else if (text !== null) write(text)
    },
    say: (text) => void process.stderr.write(`${text}\n`),
  }
}

/** Prints a failure in the asked form and returns the exit code. */
export function reportFailure(error: unknown, json: boolean): number {
  const value = failureInEnglish(toFailureValue(error))
  if (!(error instanceof Failure))
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  if (json) process.stdout.write(`${JSON.stringify({ error: value })}\n`)
  else if (error instanceof Failure)
    process.stderr.write(`lode: ${value.message.replace(/\.$/, '')}${value.action === '' ? '' : `. ${value.action}`}\n`)
  return value.code === 'wrong-usage' ? EXIT_WRONG_USAGE : EXIT_FAILED
}

import type { Output } from './output'

/** What every command is given. */
export interface CommandContext {
  output: Output
  /** absolute */
  dataDir: string
}

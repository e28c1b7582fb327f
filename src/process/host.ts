/** Starting processes, one interface for Node and for the desktop (architecture.md). When a process is started again is supervisor.ts's to say. */
import type { Port } from './port'

/** Programs of Lode that run as processes of their own. */
export type ProgramName = 'worker' | 'sensors'

export interface ProcessExit {
  code: number | null
  signal: string | null
}

export interface ManagedProcess {
  readonly pid: number
  readonly port: Port
  /** settles when the process is gone, never rejects */
  readonly exited: Promise<ProcessExit>
  /** at once, by process id (SIGKILL where there are signals) */
  kill(): void
}

export interface ProcessHost {
  /** Resolves when the process runs. `start` is given to it as its one argument, in JSON. Throws when it cannot be started. */
  start(program: ProgramName, start: unknown): Promise<ManagedProcess>
}

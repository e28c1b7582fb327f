/** States of jobs, shares and credits, and which change is allowed. The ledger refuses any other. */
import { z } from 'zod'

export const jobStates = [
  'queued', // known, waiting for a device
  'running', // a device works on it
  'interrupted', // found running at start, or its worker stopped: retried or returned
  'submitted', // result sent, no answer yet
  'accepted', // the network's receipt is stored
  'rejected', // the network refused it, with a code
  'failed', // it cannot be done, with a reason
  'cancelled', // the person cancelled it
  'returned', // released to the network: another rig may do it
] as const
export const jobState = z.enum(jobStates)
export type JobState = z.infer<typeof jobState>

export const JOB_TRANSITIONS: Readonly<Record<JobState, readonly JobState[]>> = {
  queued: ['running', 'cancelled', 'failed', 'returned'],
  running: ['submitted', 'interrupted', 'failed', 'cancelled', 'returned', 'queued'],
  interrupted: ['queued', 'running', 'returned', 'failed', 'cancelled'],
  submitted: ['accepted', 'rejected'],
  accepted: [],
  rejected: [],
  failed: [],
  cancelled: [],
  returned: [],
}
export const FINAL_JOB_STATES: readonly JobState[] = ['accepted', 'rejected', 'failed', 'cancelled', 'returned']

/** The states of every amount, in order (protocol.md §4). Practice ends at `accepted`; later states show "not yet". */
export const creditStates = ['submitted', 'accepted', 'confirmed', 'paid', 'rejected'] as const
export const creditState = z.enum(creditStates)
export type CreditState = z.infer<typeof creditState>

export const CREDIT_TRANSITIONS: Readonly<Record<CreditState, readonly CreditState[]>> = {
  submitted: ['accepted', 'rejected'],
  accepted: ['confirmed'],
  confirmed: ['paid'],
  paid: [],
  rejected: [],
}

export const deviceStates = [
  'off', // switched off by the person
  'unable', // cannot mine, with a reason
  'idle',
  'starting',
  'proving',
  'working', // on a useful job
  'benchmarking',
  'restarting', // its worker stopped and is started again
  'faulted', // the circuit is open: five failures in ten minutes
] as const
export const deviceState = z.enum(deviceStates)
export type DeviceState = z.infer<typeof deviceState>

/** States of jobs, shares and credits, and which change is allowed. The ledger refuses any other. */
import { z } from 'zod'

export const jobStates = [
  'queued', // known, waiting for a device
  'running', // a device works on it
  'interrupted', // found running at start, or its worker stopped: retried or returned
  'submitted', // result sent, no answer yet
  'held', // the network has the result, and credits it once it has checked it
  'accepted', // the network's receipt is stored
  'refused', // the network gives no credit for it, with a code
  'forfeited', // its credit was held, and a check of the rig's work failed
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
  submitted: ['held', 'accepted', 'refused'],
  held: ['accepted', 'refused', 'forfeited'],
  accepted: [],
  refused: [],
  forfeited: [],
  failed: [],
  cancelled: [],
  returned: [],
}
export const FINAL_JOB_STATES: readonly JobState[] = [
  'accepted',
  'refused',
  'forfeited',
  'failed',
  'cancelled',
  'returned',
]
/** It earned nothing, although it has a result. */
export function hasNoCredit(state: JobState): boolean {
  return state === 'refused' || state === 'forfeited'
}
/** Nobody works on it any more, and nobody can take it back: it has ended, or its result is with the network. */
export const DELIVERED_JOB_STATES: readonly JobState[] = [...FINAL_JOB_STATES, 'submitted', 'held']

/**
 * The states of every amount, in order, then the two ends without it (protocol.md §4). Practice ends at `accepted`; later
 * states show "not yet".
 */
export const creditStates = [
  'submitted', // the work was written down and sent
  'held', // the network has it and credits it once it has checked it
  'accepted', // the network's receipt is stored
  'confirmed', // a statement has it
  'paid',
  'refused', // the network gives no credit for it
  'forfeited', // it was held, and a check of the rig's work failed
] as const
export const creditState = z.enum(creditStates)
export type CreditState = z.infer<typeof creditState>

/** Which change is allowed. */
export const CREDIT_TRANSITIONS: Readonly<Record<CreditState, readonly CreditState[]>> = {
  submitted: ['held', 'accepted', 'refused'],
  held: ['accepted', 'refused', 'forfeited'],
  accepted: ['confirmed'],
  confirmed: ['paid'],
  paid: [],
  refused: [],
  forfeited: [],
}

const CREDIT_EVENTS = {
  hold: 'held',
  accept: 'accepted',
  refuse: 'refused',
  forfeit: 'forfeited',
  confirm: 'confirmed',
  pay: 'paid',
} as const satisfies Readonly<Record<string, CreditState>>
/** What happens to a credit. */
export type CreditEvent = keyof typeof CREDIT_EVENTS

/** The state of a credit after the event; undefined: the event cannot happen in this state. */
export function nextCreditState(state: CreditState, event: CreditEvent): CreditState | undefined {
  const next = CREDIT_EVENTS[event]
  return CREDIT_TRANSITIONS[state].includes(next) ? next : undefined
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

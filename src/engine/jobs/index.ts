/** Useful jobs on a device: which are asked for, how they run, what they earn. */
export { createDeviceJobs } from './device-jobs'
export { createJobRates, type JobRates } from './job-rates'
export type { JobRunner, JobRunnerParts } from './job-runner'
export { createModelTrials, type ModelTrialsParts } from './model-trials'
export { whyNoJobs } from './no-jobs'
export { createSampleBudget, type SampleBudget } from './sample-budget'

/** Useful jobs on a device: which are asked for, how they run, what they earn. */
export { createDeviceJobs } from './device-jobs'
export { createJobRates, type JobRates } from './job-rates'
export type { JobRunner, JobRunnerOptions } from './job-runner'
export { createModelTrials, type ModelTrialsOptions } from './model-trials'
export { whyNoJobs } from './no-jobs'
export { createSyntheticJobBudget, type SyntheticJobBudget } from './synthetic-job-budget'

/** Benchmarks and stress tests of devices. */
export { createBenchmarkQueue } from './benchmark-queue'
export type { BenchmarkOutcome, BenchmarkPlan } from './benchmark-task'
export { createBenchmarks, type BenchmarkRunner, type Benchmarks } from './benchmarks'

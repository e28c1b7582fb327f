import { randomInt } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { signatureVerifier } from '#engine/network/index'
import { recompute } from '#engine/workers/index'
import { BENCHMARK_PUBLIC_KEY } from '#shared/domain/benchmark'
import {
  findReportProblems,
  signedBenchmark,
  reportBackend,
  type AnyBenchmarkReport,
} from '#shared/domain/benchmark-report'
import { describeParseError, Failure, messageOf } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { goldenDigests } from '#shared/domain/golden'
import type { BackendName } from '#shared/domain/backend'
import { createNodeProcessHost } from '#process/node-host'
import { rateText } from '../figures'
import { EXIT_DONE, EXIT_FAILED, type Output } from '../output'
import { programFolder } from '#host/paths'

const MOST_FILE_BYTES = 16 * 1024 ** 2
/** One in so many of the recorded digests is computed again. */
const RECOMPUTED = 10

interface Recorded {
  publicKey: string
  nonce: bigint
  digest: string
}

/** `lode bench --verify FILE`: signature, figures, and a random tenth of the digests. Needs neither engine nor data folder. */
export async function verifyBenchmark(output: Output, file: string, backend?: BackendName): Promise<number> {
  const signed = await readReport(file)
  const { body } = signed
  const problems = findReportProblems(signed, signatureVerifier)
  const recorded = recordedDigests(body)
  const drawn = draw(recorded, Math.ceil(recorded.length / RECOMPUTED), ({ publicKey }) => publicKey === body.rig)
  let used: BackendName | null = null
  // A report that was changed after it was signed is refused without computing anything.
  if (problems.length === 0) {
    const found = await compute(body, drawn, backend)
    used = found.backend
    for (const nonce of found.wrong) problems.push(`The digest of nonce ${nonce} is wrong.`)
  }
  const ok = problems.length === 0
  output.answer(
    {
      ok,
      rig: signed.key,
      device: body.device.name,
      backend: reportBackend(body),
      tier: body.tier,
      at: new Date(body.at).toISOString(),
      lodeVersion: body.lodeVersion,
      macsPerSecond: body.macsPerSecond,
      digests: recorded.length,
      recomputed: used === null ? 0 : drawn.length,
      recomputedWith: used,
      problems,
    },
    ok
      ? [
          `Genuine: ${body.device.name}, ${reportBackend(body)}, ${body.tier}: ${rateText(body.macsPerSecond)}, measured ${new Date(body.at).toISOString()}.`,
          `Signed by rig ${signed.key}. ${drawn.length} of ${recorded.length} digests computed again with ${used ?? ''}: all right.`,
        ]
      : ['Not genuine.', ...problems],
  )
  return ok ? EXIT_DONE : EXIT_FAILED
}

async function readReport(file: string): Promise<ReturnType<typeof signedBenchmark.parse>> {
  let text: string
  try {
    if ((await stat(file)).size > MOST_FILE_BYTES)
      throw new Failure('invalid-input', message('bench-file-too-large', { file }))
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure('not-found', message('bench-file-not-read', { file }))
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Failure('invalid-input', message('bench-file-not-json', { file }))
  }
  const parsed = signedBenchmark.safeParse(value)
  if (!parsed.success)
    throw new Failure('invalid-input', message('bench-file-wrong', { file, fault: describeParseError(parsed.error) }))
  return parsed.data
}

function recordedDigests(body: AnyBenchmarkReport): Recorded[] {
  return [
    ...body.checksumDigests.map((digest, nonce) => ({ publicKey: BENCHMARK_PUBLIC_KEY, nonce: BigInt(nonce), digest })),
    ...body.digests.map(({ nonce, digest }) => ({ publicKey: body.rig, nonce: BigInt(nonce), digest })),
  ]
}

/**
 * Draws `count` entries at random, each as likely as any other, from the preferred ones while there are any. Preferred
 * are the digests of the rig's own nonces: all golden ones were compared with the golden file already.
 */
function draw<T>(from: readonly T[], count: number, isPreferred: (one: T) => boolean): T[] {
  const preferred = from.filter(isPreferred)
  const others = from.filter((one) => !isPreferred(one))
  return Array.from({ length: count }, () => {
    const left = preferred.length > 0 ? preferred : others
    return left.splice(randomInt(left.length), 1)
  }).flat()
}

/** Computes the drawn digests again, with the named backend or the fastest one here that gives a golden digest. */
async function compute(
  body: AnyBenchmarkReport,
  drawn: readonly Recorded[],
  wanted?: BackendName,
): Promise<{ backend: BackendName; wrong: bigint[] }> {
  const backends: BackendName[] = wanted === undefined ? ['native', 'onnx-cpu', 'reference'] : [wanted]
  const host = createNodeProcessHost(programFolder)
  let reason = message('bench-no-backend')
  for (const backend of backends) {
    try {
      return await recompute({ host, threads: availableParallelism() }, async (worker) => {
        const digestOf = async ({ publicKey, nonce }: Omit<Recorded, 'digest'>): Promise<string | undefined> => {
          const { tier, epochSeed } = body
          const asked = { backend, tier, epochSeed, publicKey, firstNonce: nonce }
          return (await worker.digests({ ...asked, budgetMilliseconds: 0, maxNonces: 1, keep: 1 })).digests[0]
        }
        if ((await digestOf({ publicKey: BENCHMARK_PUBLIC_KEY, nonce: 0n })) !== goldenDigests(body.tier)[0])
          throw new Failure('device-unavailable', message('bench-backend-wrong', { backend }))
        const wrong: bigint[] = []
        for (const one of drawn) if ((await digestOf(one)) !== one.digest) wrong.push(one.nonce)
        return { backend, wrong }
      })
    } catch (error) {
      reason = messageOf(error)
    }
  }
  throw new Failure('device-unavailable', message('bench-not-computed', { reason }))
}

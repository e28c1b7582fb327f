/** How fast onnxruntime multiplies uint8 by int8 matrices here, with nothing else to do: what the proof backend is compared with. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import onnxProto from 'onnx-proto'
import { InferenceSession, Tensor } from 'onnxruntime-node'

/** [rows, inner, columns] of a product. */
export type Shape = [number, number, number]

/** One measurement, in multiply-accumulates a second of whichever clock was given. */
export type Measure = (milliseconds: number) => Promise<number>

const UINT8 = 2
const INT8 = 3
const INT32 = 6

/**
 * Every product in one graph with constant weights, which onnxruntime repacks once when it loads them, and its own
 * threads: the fastest it can do. `now`: milliseconds; with one thread also that thread's processor time.
 */
export async function constantWeightsRate(
  shapes: readonly Shape[],
  threads: number,
  now: () => number = () => performance.now(),
): Promise<Measure> {
  const session = await InferenceSession.create(constantWeightsGraph(shapes), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  })
  const inputs: Record<string, Tensor> = {}
  const outputs: Record<string, Tensor> = {}
  shapes.forEach(([rows, inner, columns], index) => {
    inputs[`A${index}`] = new Tensor('uint8', operands(rows * inner), [rows, inner])
    outputs[`Y${index}`] = new Tensor('int32', new Int32Array(rows * columns), [rows, columns])
  })
  await session.run(inputs, outputs)
  return async (milliseconds) => {
    const startedAt = now()
    let passes = 0
    do {
      await session.run(inputs, outputs)
      passes++
    } while (now() - startedAt < milliseconds)
    return (passes * macsOf(shapes) * 1000) / (now() - startedAt)
  }
}

/** Processor milliseconds of the calling thread. */
export function threadMilliseconds(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** The same products with weights as inputs, one single-threaded session for each thread, as the onnx-cpu backend runs them. */
export async function threadRate(
  shapes: readonly Shape[],
  threadCount: number,
): Promise<Measure & { close(): Promise<void> }> {
  const weights = new SharedArrayBuffer(shapes.reduce((sum, [, inner, columns]) => sum + inner * columns, 0))
  new Uint8Array(weights).set(operands(weights.byteLength))
  const program = new URL('./matrix-thread.ts', import.meta.url)
  const threads = Array.from({ length: threadCount }, () => new Worker(program, { workerData: { shapes, weights } }))
  await Promise.all(threads.map((thread) => once(thread, 'message')))
  const measure = async (milliseconds: number): Promise<number> => {
    const rates = await Promise.all(
      threads.map(async (thread) => {
        thread.postMessage(milliseconds)
        const [answer] = (await once(thread, 'message')) as [{ passes: number; milliseconds: number }]
        return (answer.passes * macsOf(shapes) * 1000) / answer.milliseconds
      }),
    )
    return rates.reduce((sum, rate) => sum + rate, 0)
  }
  const close = async (): Promise<void> => void (await Promise.all(threads.map((thread) => thread.terminate())))
  return Object.assign(measure, { close })
}

function macsOf(shapes: readonly Shape[]): number {
  return shapes.reduce((sum, [rows, inner, columns]) => sum + rows * inner * columns, 0)
}

/** Bytes that are operands both as value + 64 and, here, as weights. */
function operands(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => ((index * 2_654_435_761) >>> 13) & 63)
}

function constantWeightsGraph(shapes: readonly Shape[]): Uint8Array {
  const matrix = (name: string, elemType: number, rows: number, columns: number) => ({
    name,
    type: { tensorType: { elemType, shape: { dim: [{ dimValue: rows }, { dimValue: columns }] } } },
  })
  return onnxProto.onnx.ModelProto.encode({
    irVersion: 7,
    opsetImport: [{ domain: '', version: 13 }],
    graph: {
      name: 'products',
      node: shapes.map((_, index) => ({
        opType: 'MatMulInteger',
        input: [`A${index}`, `B${index}`, 'zeroPoint'],
        output: [`Y${index}`],
      })),
      initializer: [
        { name: 'zeroPoint', dataType: UINT8, dims: [], rawData: Uint8Array.of(64) },
        ...shapes.map(([, inner, columns], index) => ({
          name: `B${index}`,
          dataType: INT8,
          dims: [inner, columns],
          rawData: operands(inner * columns),
        })),
      ],
      input: shapes.map(([rows, inner], index) => matrix(`A${index}`, UINT8, rows, inner)),
      output: shapes.map(([rows, , columns], index) => matrix(`Y${index}`, INT32, rows, columns)),
    },
  }).finish()
}

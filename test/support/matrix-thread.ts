/** One thread that only multiplies matrices: the highest possible rate of a compute thread. Node runs this file without a build. */
import { parentPort, workerData } from 'node:worker_threads'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { matrixProductGraph } from '#worker/proof/onnx-graph'

/** [rows, inner, columns] of each product of a pass, and one layer's weights for all of them, in memory that the threads share. */
interface ThreadData {
  shapes: [number, number, number][]
  weights: SharedArrayBuffer
}

const { shapes, weights } = workerData as ThreadData
const session = await InferenceSession.create(matrixProductGraph('int32'), {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
})
let offset = 0
const feeds = shapes.map(([rows, inner, columns]) => {
  const A = new Tensor(
    'uint8',
    Uint8Array.from({ length: rows * inner }, (_, index) => (index * 37) & 127),
    [rows, inner],
  )
  const B = new Tensor('int8', new Int8Array(weights, offset, inner * columns), [inner, columns])
  const Y = new Tensor('int32', new Int32Array(rows * columns), [rows, columns])
  offset += inner * columns
  return { inputs: { A, B }, outputs: { Y } }
})

/** Whole passes over the products until `milliseconds` are over. */
async function measure(milliseconds: number): Promise<{ passes: number; milliseconds: number }> {
  const startedAt = performance.now()
  let passes = 0
  do {
    for (const { inputs, outputs } of feeds) await session.run(inputs, outputs)
    passes++
  } while (performance.now() - startedAt < milliseconds)
  return { passes, milliseconds: performance.now() - startedAt }
}

parentPort?.on('message', (milliseconds: number) => {
  void measure(milliseconds).then((answer) => parentPort?.postMessage(answer))
})
parentPort?.postMessage('ready')

/** The backends of proofs: the programs that compute on a device. */

/** The providers of onnxruntime that drive other devices than the processor. */
export const gpuProviderBackends = ['onnx-cuda', 'onnx-directml', 'onnx-coreml', 'onnx-webgpu'] as const

/**
 * `native`: a driver over the C interface, the one for CPUs or a device's own. `webgpu`: Lode's own kernels on a graphics
 * adapter, software ones included. `onnx-…`: a provider of onnxruntime. A device offers a backend once it gave the right
 * digests there.
 */
export const backendNames = ['native', 'webgpu', ...gpuProviderBackends, 'onnx-cpu', 'reference'] as const
export type BackendName = (typeof backendNames)[number]

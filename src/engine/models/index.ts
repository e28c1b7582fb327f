/** Models on this rig: catalogue, downloads, store and library. */
export { MODEL_MEMORY_SHARE, fitsMemory } from './model-memory'
export { createModelCounter } from './model-counter'
export { createModelSupport, type ModelAccess, type ModelEnvironment } from './support'
export type { UsableModels } from './usable-models'

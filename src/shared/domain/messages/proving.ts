/** Proving on a device: what its backend, its driver or its graphics adapter refuses. */
import { foreign, name, number } from './parameters'
import { says } from './definition'

export const provingMessages = {
  'work-cancelled': says('the work was cancelled'),
  'proof-weights-memory': says(
    'there is not enough memory for {tier}: its weights take {megabytes} MB',
    { tier: name, megabytes: number },
    'Close other programs, or choose a smaller tier.',
  ),
  'native-missing': says(
    'this copy of Lode has no native backend',
    'Build it with "npm run build:native", or use onnx-cpu.',
  ),
  'native-not-loaded': says('the native backend cannot be loaded: {words}', { words: foreign }, 'Use onnx-cpu.'),
  'driver-device-gone': says('the driver has no device "{device}" any more', { device: name }),
  'driver-ids-not-unique': says('the ids of its devices are empty or not unique'),
  'proof-epoch-memory': says(
    "there is not enough memory for an epoch's weights",
    'Close other programs, or choose a smaller tier.',
  ),
  'benchmark-other-epoch': says('the benchmark runs on its own fixed epoch only', 'Ask for the benchmark epoch.'),
  'provider-wrong-rows': says(
    '{backend} answered with something else than the rows that were asked for',
    { backend: name },
    'Update the graphics driver, or use another backend.',
  ),
  'provider-silent': says(
    '{backend} did not answer for {seconds} seconds',
    { backend: name, seconds: number },
    'Start the device again on the Devices screen, or update the graphics driver.',
  ),
  'provider-stopped': says(
    '{backend} stopped: {words}',
    { backend: name, words: foreign },
    'Update the graphics driver, or use another backend.',
  ),
  'provider-other-system': says(
    '{provider} is not made for this system',
    { provider: name },
    'Update the graphics driver, or use another backend.',
  ),
  'provider-refuses': says(
    '{provider} does not take the proof: {words}',
    { provider: name, words: foreign },
    'Update the graphics driver, or use another backend.',
  ),
  'adapter-is-software': says(
    '{adapter} is software that computes on the processor',
    { adapter: name },
    'Update the graphics driver, or use another backend.',
  ),
  'adapter-no-matrix-units': says(
    '{adapter} offers WebGPU no matrix units for int8',
    { adapter: name },
    'Update the graphics driver, or use another backend.',
  ),
  'adapter-not-opened': says(
    'the graphics adapter {adapter} cannot be opened: {words}',
    { adapter: name, words: foreign },
    'Update the graphics driver, or use another backend.',
  ),
  'webgpu-not-loaded': says(
    'WebGPU cannot be loaded: {words}',
    { words: foreign },
    'Update the graphics driver, or use another backend.',
  ),
  'webgpu-no-adapter': says(
    'this computer has no graphics adapter that WebGPU can use',
    'Update the graphics driver, or use another backend.',
  ),
  'webgpu-other-adapter': says(
    'WebGPU finds another graphics adapter by the name "{adapter}"',
    { adapter: name },
    'Update the graphics driver, or use another backend.',
  ),
  'webgpu-adapter-unclear': says(
    "which of WebGPU's graphics adapters is {adapter} is not known; they are {names}",
    { adapter: name, names: foreign },
    'Update the graphics driver, or use another backend.',
  ),
  'adapter-refused-work': says(
    'the graphics adapter {adapter} refused the work: {words}',
    { adapter: name, words: foreign },
    'Start the device again on the Devices screen, or update the graphics driver.',
  ),
  'driver-no-library': says('the file is no shared library'),
  'driver-library-for': says('the library is for {platform}; this computer is {here}', { platform: name, here: name }),
  'driver-says': says('{words}', { words: foreign }, "Ask the driver's maker, or leave the device off."),
  'adapter-silent': says(
    'the graphics adapter {adapter} did not answer for {seconds} seconds',
    { adapter: name, seconds: number },
    'Start the device again on the Devices screen, or update the graphics driver.',
  ),
  'adapter-lost': says(
    'the graphics adapter {adapter} was lost: {words}',
    { adapter: name, words: foreign },
    'Start the device again on the Devices screen, or update the graphics driver.',
  ),
}

/** Models: which there are, and what a file or folder that is added must be. */
import { count, foreign, name, number, path } from './parameters'
import { says } from './definition'

export const modelMessages = {
  'model-file-changed': says(
    '{file} of {model} is not the file that was added',
    { file: path, model: name },
    'Get the model again, or add it again.',
  ),
  'model-reader-stopped': says(
    'the file could not be read to its end: the process that read it stopped',
    'Get the file again, or choose a smaller model.',
  ),
  'model-changed-while-copied': says(
    '{file} changed while it was copied',
    { file: path },
    'Add the folder again when nothing writes to it.',
  ),
  'model-not-card-hash': says(
    '{file} does not have the SHA-256 that card.json says',
    { file: path },
    'Get the model again, then add its folder again.',
  ),
  'model-folder-too-full': says(
    '{file} lies in a folder with too many files for a model',
    { file: path },
    'Add the folder that holds the model and nothing else.',
  ),
  'model-no-folder': says(
    'there is no folder {folder}',
    { folder: path },
    'Give the folder that holds config.json, tokenizer.json and the ONNX file.',
  ),
  'model-folder-is-file': says('{folder} is a file', { folder: path }, 'Give the folder that the file is in.'),
  'model-link-to-nothing': says(
    '{file} is a link to nothing',
    { file: path },
    'Put the file itself there instead of the link, then add the folder again.',
  ),
  'model-link-leaves-folder': says(
    '{file} is a link that leaves the folder',
    { file: path },
    'Put the file itself there instead of the link, then add the folder again.',
  ),
  'model-entry-strange': says(
    '{file} is neither a file nor a folder',
    { file: path },
    'Remove it, then add the folder again.',
  ),
  'model-pickle-in-folder': says(
    '{file} is a pickle, which can run programs when it is read',
    { file: path },
    'Remove it from the folder, then add the folder again.',
  ),
  'model-too-large-file': says(
    '{file} has {bytes} bytes; at most {most} are allowed',
    { file: path, bytes: number, most: number },
    'Choose a smaller model, or one with its weights in a file of their own.',
  ),
  'model-nothing-there': says(
    'there is no file or folder {path}',
    { path },
    'Give a GGUF, safetensors or ONNX file, or the folder that it is in.',
  ),
  'model-neither-file-nor-folder': says(
    '{file} is neither a file nor a folder',
    { file: path },
    'Give a GGUF, safetensors or ONNX file, or the folder that it is in.',
  ),
  'model-too-large': says('{file} has {bytes} bytes', { file: path, bytes: number }, 'Choose a smaller model.'),
  'model-pickle': says(
    '{file} is a pickle, which can run programs when it is read',
    { file: path },
    'Look for the same model as safetensors or GGUF.',
  ),
  'model-not-supported': says(
    "{file} isn't a supported model",
    { file: path },
    'Give a GGUF, safetensors or ONNX file, or the folder that it is in.',
  ),
  'model-several-gguf': says(
    '{file} holds {count} GGUF files',
    { file: path, count: number },
    'Give the one that you want.',
  ),
  'model-folder-without-model': says(
    'the folder has neither model.safetensors nor a GGUF file',
    'Give the folder of one model, or the file itself.',
  ),
  'model-no-known-kind': says(
    '{file} is neither a chat model with a key-value cache nor an embedding model (inputs: {inputs})',
    { file: path, inputs: foreign },
    'Lode runs decoders with past_key_values and logits, and encoders with token vectors.',
  ),
  'model-custom-operator': says(
    '{file} uses the custom operator {domain}.{operator}',
    { file: path, domain: name, operator: name },
    'Lode runs standard ONNX operators only. Choose another export of the model.',
  ),
  'model-weights-outside': says(
    '{file} takes weights from {location}, which is not a file inside the folder',
    { file: path, location: foreign },
    'Choose another export of the model.',
  ),
  'model-weights-missing': says(
    '{file} is missing; {graph} takes weights from it',
    { file: path, graph: path },
    'Put the file there, then add the folder again.',
  ),
  'model-not-read-disk': says('{file} cannot be read', { file: path }, 'Check the disk, then try again.'),
  'model-not-read': says(
    '{file} cannot be read',
    { file: path },
    'Check its permissions and the disk, then try again.',
  ),
  'model-store-full': says(
    'the disk is full: the model was not added',
    { folder: path },
    'Free some space where {folder} lies.',
  ),
  'model-store-not-usable': says(
    '{folder} cannot be read or written',
    { folder: path },
    'Check that it is a folder and that its permissions allow it.',
  ),
  'model-has-jobs': says(
    '{model} was to be made anew, but has jobs now',
    { model: name },
    'Wait until they are done, or pause mining, then add it again.',
  ),
  'model-files-damaged': says('the files of {model} are damaged or missing', { model: name }, 'Add its folder again.'),
  'model-none-for-kind': says(
    'there is no model for {kind}',
    { kind: name },
    'Add a model folder first: models add DIR.',
  ),
  'model-folder-too-large': says(
    'the folder has {bytes} bytes of model files',
    { bytes: number },
    'Choose a smaller model.',
  ),
  'model-card-not-json': says(
    '{file} is not JSON',
    { file: path },
    'Correct card.json, or remove it to have a new one written.',
  ),
  'model-card-wrong': says(
    '{file} is not a model manifest ({fault})',
    { file: path, fault: foreign },
    'Correct card.json, or remove it to have a new one written.',
  ),
  'model-card-file-missing': says(
    '{file} is missing; card.json names it',
    { file: path },
    'Put the file there, then add the folder again.',
  ),
  'model-card-other-kind': says(
    '{file} says {kind}, but {graph} is a model for {wanted}',
    { file: path, kind: name, graph: path, wanted: name },
    'Correct card.json.',
  ),
  'model-card-no-graph': says(
    '{file} names no ONNX file',
    { file: path },
    'Correct card.json, or remove it to have a new one written.',
  ),
  'model-not-found': says(
    'there is no model {model}',
    { model: name },
    'See the list of models for the names there are.',
  ),
  'model-built-in': says(
    '{model} comes with Lode and cannot be removed',
    { model: name },
    'Remove only models that were added.',
  ),
  'model-file-empty': says(
    '{file} is empty',
    { file: path },
    'Get the model again from where it came from, then add its folder again.',
  ),
  'model-not-onnx': says(
    '{file} is cut short or is not an ONNX file',
    { file: path },
    'Get the model again from where it came from, then add its folder again.',
  ),
  'model-cut-output': says(
    '{file} is cut short: nothing makes its output',
    { file: path },
    'Get the model again from where it came from, then add its folder again.',
  ),
  'model-weights-cut': says(
    '{file} is cut short: {graph} takes weights up to byte {end} of it',
    { file: path, graph: path, end: number },
    'Get the model again from where it came from, then add its folder again.',
  ),
  'model-known-file-missing': says(
    '{file} is missing; {model} has it',
    { file: path, model: name },
    'Get the model again from where it came from, then add its folder again.',
  ),
  'model-known-file-other': says(
    '{file} is not the file of {model}: its SHA-256 differs',
    { file: path, model: name },
    'Get the model again from where it came from, then add its folder again. If it was changed on purpose, give the folder a card.json of its own.',
  ),
  'model-card-file-size': says(
    '{file} has {bytes} bytes where card.json says {wanted}',
    { file: path, bytes: number, wanted: number },
    'Get the model again from where it came from, then add its folder again.',
  ),
  'model-card-not-naming': says(
    '{file} does not name {file2}, which {graph} needs',
    { file: path, file2: path, graph: path },
    'Get the model again from where it came from, then add its folder again.',
  ),
  'model-named-as-built-in': says(
    'there is another model named {model}',
    { model: name },
    'Rename the folder, then add it again.',
  ),
  'model-named-already': says(
    'there is another model named {model}',
    { model: name },
    'Remove that one first, or rename the folder.',
  ),
  'model-has-waiting-jobs': says(
    '{jobs, plural, one {# job waits} other {# jobs wait}} for this model',
    { jobs: count },
    'Wait until it is done, or cancel it on the Jobs screen.',
  ),
}

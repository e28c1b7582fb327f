/** What a model's file must be: refused where it is not, with the file's name. */
import { foreign, name, number, path } from './parameters'
import { says } from './definition'

export const modelFileMessages = {
  'model-disk-full': says(
    'the disk is full: the model was not made',
    { place: path },
    'Free some space where {place} lies.',
  ),
  'model-tensor-not-whole-blocks': says(
    '{file} has {tensor} with {columns} columns, which are not whole blocks of {block}',
    { file: path, tensor: name, columns: number, block: number },
    'Get the file again, or choose another model.',
  ),
  'model-not-gguf': says('{file} is not a GGUF file', { file: path }, 'Get the file again, or choose another model.'),
  'model-cut-header': says(
    '{file} is cut short: its header ends after it',
    { file: path },
    'Get the file again, or choose another model.',
  ),
  'model-too-many-tensors': says(
    '{file} names too many tensors',
    { file: path },
    'Get the file again, or choose another model.',
  ),
  'model-cut-tensor': says(
    '{file} is cut short: {tensor} ends after it',
    { file: path, tensor: name },
    'Get the file again, or choose another model.',
  ),
  'model-no-tensor-readable': says(
    '{file} has no tensor {tensor} of a kind that Lode reads',
    { file: path, tensor: name },
    'Get the file again, or choose another model.',
  ),
  'model-tensor-columns': says(
    '{file} has {tensor} with {columns} columns where {wanted} are needed',
    { file: path, tensor: name, columns: number, wanted: number },
    'Get the file again, or choose another model.',
  ),
  'model-damaged-or-cut': says(
    '{file} is damaged or cut short ({words})',
    { file: path, words: foreign },
    'Get the file again, or choose another model.',
  ),
  'model-tensor-impossible': says(
    '{file} gives {tensor} an impossible size',
    { file: path, tensor: name },
    'Get the file again, or choose another model.',
  ),
  'model-in-parts': says(
    '{file} is one of {parts} parts of a model',
    { file: path, parts: number },
    'Choose a file in one piece, or join the parts first (llama-gguf-split --merge).',
  ),
  'model-family': says(
    '{file} is of the family {family}; Lode builds graphs for {known}',
    { file: path, family: name, known: foreign },
    'Choose a model of one of these families.',
  ),
  'model-words-without-vectors': says(
    '{file} has {count} words, and vectors for fewer',
    { file: path, count: number },
    'Get the file again, or choose another model.',
  ),
  'model-setting-missing': says(
    '{file} has no usable {setting}',
    { file: path, setting: name },
    'Get the file again, or choose another model.',
  ),
  'model-mixture-of-experts': says(
    '{file} is a mixture of experts, which Lode does not build yet',
    { file: path },
    'Get the file again, or choose another model.',
  ),
  'model-value-size': says(
    '{file} has values of another size than its keys, which Lode does not compute',
    { file: path },
    'Get the file again, or choose another model.',
  ),
  'model-context-scaling': says(
    '{file} stretches its context by {scaling}, which Lode does not compute',
    { file: path, scaling: name },
    'Get the file again, or choose another model.',
  ),
  'model-heads-not-divided': says(
    '{file} has heads that its key-value heads do not divide',
    { file: path },
    'Get the file again, or choose another model.',
  ),
  'model-rotary-part': says(
    '{file} turns only a part of each head, which Lode does not compute',
    { file: path },
    'Get the file again, or choose another model.',
  ),
  'model-width-not-divided': says(
    '{file} has a width that its heads do not divide',
    { file: path },
    'Get the file again, or choose another model.',
  ),
  'model-causal-embeddings': says(
    '{file} lets a token see only those before it, which Lode does not compute for embeddings',
    { file: path },
    'Get the file again, or choose another model.',
  ),
  'model-pooling': says(
    '{file} makes one vector of a text by "{kind}", which Lode does not compute: it knows "mean" and "cls"',
    { file: path, kind: name },
    'Get the file again, or choose another model.',
  ),
  'model-no-tokenizer': says('{file} has no tokenizer', { file: path }, 'Get the file again, or choose another model.'),
  'model-no-chat-template': says(
    '{file} has no chat template: it answers no questions',
    { file: path },
    'Get the file again, or choose another model.',
  ),
  'model-tokenizer-kind': says(
    '{file} has a tokenizer of the kind {tokenizer}, which Lode does not read',
    { file: path, tokenizer: name },
    'Get the file again, or choose another model.',
  ),
  'model-text-cut': says(
    '{file} cuts text by "{rule}", which Lode does not know',
    { file: path, rule: name },
    'Get the file again, or choose another model.',
  ),
  'model-no-merges': says(
    '{file} has no merges for its tokenizer',
    { file: path },
    'Get the file again, or choose another model.',
  ),
  'model-no-scores': says(
    '{file} has no scores for its tokenizer',
    { file: path },
    'Get the file again, or choose another model.',
  ),
  'model-no-unknown-token': says(
    '{file} has no token for unknown words',
    { file: path },
    'Get the file again, or choose another model.',
  ),
  'model-quantized': says(
    '{file} is of a quantized model',
    { file: path },
    'Choose the model with its original weights, or a GGUF file of it.',
  ),
  'model-no-head-size': says(
    '{file} has no usable head_dim',
    { file: path },
    'Get the file again, or choose another model.',
  ),
  'model-rope-without-factor': says(
    '{file} has a rope_scaling without its factor',
    { file: path },
    'Get the file again, or choose another model.',
  ),
  'model-hidden-size-not-divided': says(
    '{file} has a hidden_size that its heads do not divide',
    { file: path },
    'Get the file again, or choose another model.',
  ),
  'model-asks-for': says(
    '{file} asks for {what}, which Lode does not compute',
    { file: path, what: name },
    'Choose another model.',
  ),
  'model-config-wrong': says(
    '{file} is not the configuration of a model ({fault})',
    { file: path, fault: foreign },
    'Get the file again, or choose another model.',
  ),
  'model-no-chat-template-settings': says(
    '{file} has no chat template: this model answers no questions',
    { file: path },
    'Get the file again, or choose another model.',
  ),
  'model-pooling-settings': says(
    '{file} makes one vector of a text in a way that Lode does not compute (neither mean nor first)',
    { file: path },
    'Get the file again, or choose another model.',
  ),
  'model-index-without-files': says(
    '{file} does not say which file has which tensor',
    { file: path },
    'Get the file again, or choose another model.',
  ),
  'model-index-files': says(
    '{file} names {count} files',
    { file: path, count: number },
    'Get the file again, or choose another model.',
  ),
  'model-index-name': says(
    '{file} names {name}, which is no safetensors file beside it',
    { file: path, name },
    'Get the file again, or choose another model.',
  ),
  'model-link-leaves-folder-file': says(
    '{file} is a link that leaves the folder',
    { file: path },
    'Put the file itself there instead of the link.',
  ),
  'model-file-too-large': says(
    '{file} has {bytes} bytes; at most {most} are allowed',
    { file: path, bytes: number, most: number },
    'Get the file again, or choose another model.',
  ),
  'model-file-not-json': says('{file} is not JSON', { file: path }, 'Get the file again, or choose another model.'),
  'model-file-missing': says('{file} is missing', { file: path }, 'Put the file into the folder, then add it again.'),
  'model-tensor-twice': says(
    '{file} has {tensor} a second time',
    { file: path, tensor: name },
    'Get the file again, or choose another model.',
  ),
  'model-tensor-type': says(
    '{file} has {tensor} as {type}, which Lode does not read',
    { file: path, tensor: name, type: name },
    'Get the file again, or choose another model.',
  ),
  'model-no-tensor': says(
    '{file} has no tensor {tensor}',
    { file: path, tensor: name },
    'Get the file again, or choose another model.',
  ),
  'model-no-header': says(
    '{file} is cut short: it has no header',
    { file: path },
    'Get the file again, or choose another model.',
  ),
  'model-header-too-long': says(
    '{file} claims a header of {bytes} bytes and is no safetensors file',
    { file: path, bytes: number },
    'Get the file again, or choose another model.',
  ),
  'model-tensor-type-unknown': says(
    '{file} has {tensor} as {type}, which is no type of safetensors',
    { file: path, tensor: name, type: name },
    'Get the file again, or choose another model.',
  ),
  'model-tensors-overlap': says(
    '{file} has tensors that lie over one another',
    { file: path },
    'Get the file again, or choose another model.',
  ),
  'model-header-not-json': says(
    '{file} is damaged: its header is not JSON',
    { file: path },
    'Get the file again, or choose another model.',
  ),
  'model-header-without-tensors': says(
    '{file} is damaged: its header names no tensors',
    { file: path },
    'Get the file again, or choose another model.',
  ),
  'model-tensor-count': says(
    '{file} names {count} tensors',
    { file: path, count: number },
    'Get the file again, or choose another model.',
  ),
  'model-header-unclear': says(
    '{file} is damaged: its header does not say what {tensor} is',
    { file: path, tensor: name },
    'Get the file again, or choose another model.',
  ),
  'model-tensor-not-vector': says(
    '{file} has {tensor} with {rows} rows where a vector is needed',
    { file: path, tensor: name, rows: number },
    'Get the file again, or choose another model.',
  ),
  'model-tensor-rows': says(
    '{file} has {tensor} with {rows} rows where {wanted} are needed',
    { file: path, tensor: name, rows: number, wanted: number },
    'Get the file again, or choose another model.',
  ),
  'model-file-shrank': says(
    '{file} became shorter while it was read',
    { file: path },
    'Get the file again, or choose another model.',
  ),
}

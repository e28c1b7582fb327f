/** Computing a job: what a model cannot do, and what cannot be read. */
import { foreign, name, number, oneOf, path } from './parameters'
import { says } from './definition'

export const computingMessages = {
  'run-logits-no-numbers': says('logits: are no numbers', 'Get the model again and add its folder again.'),
  'job-was-cancelled': says('the job was cancelled'),
  'run-output-not-float32': says(
    '{file}: is not among the outputs in float32',
    { file: path },
    'Get the model again and add its folder again.',
  ),
  'run-logits-type': says(
    'logits: have elements of type {type}, where float32 or float16 is needed',
    { type: name },
    'Get the model again and add its folder again.',
  ),
  'run-no-products': says(
    '{file}: has no matrix products that Lode can count',
    { file: path },
    'Get the model again and add its folder again.',
  ),
  'chat-text-too-long': says(
    'the text has {length} tokens; this model takes at most {context}',
    { length: number, context: number },
    'Shorten the text, or choose a model with a longer context.',
  ),
  'chat-empty': says('the conversation is empty', 'Write a question.'),
  'run-no-chat-template': says(
    '{file}: has no chat template, and there is no chat_template.jinja',
    { file: path },
    'Get the model again and add its folder again.',
  ),
  'run-chat-template-wrong': says(
    'the chat template: is not understood ({words})',
    { words: foreign },
    'Get the model again and add its folder again.',
  ),
  'run-unknown-input': says(
    '{file}: wants the unknown input {input}',
    { file: path, input: name },
    'Get the model again and add its folder again.',
  ),
  'run-no-key-value-heads': says(
    '{file}: names no num_key_value_heads',
    { file: path },
    'Get the model again and add its folder again.',
  ),
  'run-no-decoder': says(
    '{file}: is no decoder with input_ids, past_key_values and logits',
    { file: path },
    'Get the model again and add its folder again.',
  ),
  'chat-template-endless': says(
    "the model's chat template did not end within {seconds} s",
    { seconds: number },
    'Its file is damaged or made to do harm. Choose another model.',
  ),
  'chat-template-refuses': says(
    "the model's chat template does not take these messages: {words}",
    { words: foreign },
    'Ask with one message of the user.',
  ),
  'run-element-type': says(
    '{file}: has elements of type {type}, where float32 or float16 is needed',
    { file: path, type: name },
    'Get the model again and add its folder again.',
  ),
  'run-vectors-no-numbers': says(
    '{file}: gives vectors that are no numbers',
    { file: path },
    'Get the model again and add its folder again.',
  ),
  'run-no-vectors': says(
    '{file}: is not a list of float32 vectors',
    { file: path },
    'Get the model again and add its folder again.',
  ),
  'run-not-onnx': says(
    '{file}: is not a whole ONNX file ({words})',
    { file: path, words: foreign },
    'Get the model again and add its folder again.',
  ),
  'run-no-graph': says('{file}: has no graph', { file: path }, 'Get the model again and add its folder again.'),
  'job-model-kind': says(
    '{model} is a model for {kind}, not for {wanted}',
    { model: name, kind: name, wanted: name },
    'Choose a model for {wanted}.',
  ),
  'job-not-understood': says('the job is not understood: {fault}', { fault: foreign }),
  'job-memory-ran-out': says(
    'the memory ran out while {model} computed this job',
    { model: name },
    'Close other programs, give a smaller input, or choose a smaller model.',
  ),
  'run-onnx-files': says(
    '{file}: its manifest names {count} ONNX files where one is needed',
    { file: path, count: number },
    'Get the model again and add its folder again.',
  ),
  'run-not-read': says(
    '{file}: cannot be read ({words})',
    { file: path, words: foreign },
    'Get the model again and add its folder again.',
  ),
  'run-not-json': says('{file}: is not JSON', { file: path }, 'Get the model again and add its folder again.'),
  'run-fields-missing': says(
    '{file}: does not have the fields that a model of this kind needs',
    { file: path },
    'Get the model again and add its folder again.',
  ),
  'run-missing': says('{file}: is missing', { file: path }, 'Get the model again and add its folder again.'),
  'run-no-head-size': says(
    '{file}: names neither head_dim nor hidden_size and num_attention_heads',
    { file: path },
    'Get the model again and add its folder again.',
  ),
  'run-no-context': says(
    '{file}: gives no context length (max_position_embeddings)',
    { file: path },
    'Get the model again and add its folder again.',
  ),
  'ocr-not-readable': says(
    'The file is not a picture that can be read, nor a PDF file.',
    'Choose a PDF file or a PNG, JPEG, WebP, TIFF, GIF or AVIF picture.',
  ),
  'ocr-stopped': says('Reading the file was stopped.'),
  'ocr-model-not-loaded': says(
    'The model {model} cannot be loaded: {words}.',
    { model: name, words: foreign },
    'Add the model again from a complete folder.',
  ),
  'ocr-model-file-missing': says(
    'The model {model} has no {part, select, detection {detection} recognition {recognition} other {character list}} file.',
    { model: name, part: oneOf('detection', 'recognition', 'characters') },
    'Add the model again from a complete folder.',
  ),
  'ocr-no-pages': says('The file has no pages.', 'Choose another one.'),
  'ocr-too-many-pages': says(
    'The file has {pages} pages; at most {most} are read at once.',
    { pages: number, most: number },
    'Cut it into parts.',
  ),
  'ocr-pdf-damaged': says('The PDF file is damaged.', 'Save or copy the file again and retry.'),
  'ocr-pdf-locked': says('The PDF file is protected by a password.', 'Save it without a password and retry.'),
  'ocr-picture-damaged': says('The picture is damaged or incomplete.', 'Save or copy the picture again and retry.'),
  'ocr-picture-too-large': says(
    'The picture has more than {millions} million pixels.',
    { millions: number },
    'Make it smaller or cut it into parts.',
  ),
  'ocr-characters': says(
    'The model knows {classes} characters, its list has {listed}.',
    { classes: number, listed: number },
    'Add the model again from a complete folder.',
  ),
  'run-not-possible': says(
    '{file} cannot be run: {words}',
    { file: path, words: foreign },
    'The file is damaged or uses operators that Lode does not have. Get the model again, or choose another one.',
  ),
  'run-not-understood': says(
    '{file}: is not understood ({words})',
    { file: path, words: foreign },
    'Get the model again and add its folder again.',
  ),
  'job-runs-already': says('job {job} runs already', { job: name }),
  'job-input-not-json': says('the job is not understood: its input is not JSON'),
  'request-wrong': says('{method}: {fault}', { method: name, fault: foreign }),
  'run-no-token-vectors': says(
    '{file}: gives no vector for each token',
    { file: path },
    'Get the model again and add its folder again.',
  ),
  'chat-memory-short': says(
    'there is not enough memory for this conversation beside the others',
    'Ask again later, shorten the text, or choose a smaller model.',
  ),
  'chat-memory-short-by': says(
    'there is not enough memory for this conversation beside the others: {megabytes} MB more are needed',
    { megabytes: number },
    'Ask again later, shorten the text, or choose a smaller model.',
  ),
  'chat-text-much-too-long': says(
    'the text has more than {context} tokens; this model takes at most {context}',
    { context: number },
    'Shorten the text, or choose a model with a longer context.',
  ),
  'ocr-picture-not-readable': says(
    'The picture is damaged or of a kind that cannot be read.',
    'Choose a PDF file or a PNG, JPEG, WebP, TIFF, GIF or AVIF picture.',
  ),
  'ocr-pdf-page-too-much': says(
    'A page of the PDF file takes too much {what, select, time {time} other {memory}} to draw.',
    { what: oneOf('time', 'memory') },
    'Save its pages as pictures and retry.',
  ),
}

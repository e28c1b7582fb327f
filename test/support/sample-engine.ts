/** A server that answers the contract with generated data and serves the built screens: for looking at them, and for tests of the screens alone. */
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { WebSocketServer, type WebSocket } from 'ws'
import { procedures, type MethodName } from '#shared/contract/index'
import { authMessage, clientMessage } from '#shared/contract/rpc'
import { Failure, toFailureValue } from '#shared/domain/errors'
import { foreignWords } from '#shared/domain/messages'
import { sample, type Scene } from './sample-data'

export interface SampleEngine {
  /** the link with its token */
  url: string
  close(): Promise<void>
}
export interface SampleOptions {
  /** the built screens */
  root: string
  scene: Scene
  port?: number
  now?: () => number
}

export const SAMPLE_TOKEN = 'sample-token'
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
}
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** Starts it on loopback. In the scene `error` every question fails but the status; in `loading` they are never answered; in `stale` ticks end after the first. */
export async function startSampleEngine({
  root,
  scene,
  port = 0,
  now = Date.now,
}: SampleOptions): Promise<SampleEngine> {
  const answers = sample(scene, now)
  const http = createServer((request, response) => {
    const path = normalize(decodeURIComponent((request.url ?? '/').split('?')[0] ?? '/'))
    const file = path === '/' ? 'index.html' : path
    readFile(join(root, file)).then(
      (bytes) => {
        response.writeHead(200, {
          'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
          'content-security-policy': CSP,
        })
        response.end(bytes)
      },
      () => response.writeHead(404).end(),
    )
  })
  const sockets = new WebSocketServer({ server: http, path: '/ws' })
  sockets.on('connection', (socket) => serve(socket, answers, scene, now))
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${portOf(http)}/#token=${SAMPLE_TOKEN}`, close: () => close(http, sockets) }
}

function portOf(http: Server): number {
  const address = http.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

async function close(http: Server, sockets: WebSocketServer): Promise<void> {
  for (const socket of sockets.clients) socket.terminate()
  await new Promise<void>((resolve) => {
    http.close(() => resolve())
    http.closeAllConnections()
  })
}

function serve(socket: WebSocket, answers: ReturnType<typeof sample>, scene: Scene, now: () => number): void {
  let wanted: readonly string[] = []
  let trusted = false
  const send = (value: unknown): void => socket.send(JSON.stringify(value))
  const tick = (): void => {
    if (wanted.includes('engine.live')) send({ type: 'event', event: 'engine.live', data: answers.live(now()) })
  }
  const beat = scene === 'stale' ? undefined : setInterval(tick, 1000)
  socket.on('close', () => clearInterval(beat))
  socket.on('message', (raw: Buffer) => {
    const value: unknown = JSON.parse(raw.toString('utf8'))
    if (!trusted) {
      const auth = authMessage.safeParse(value)
      if (!auth.success || auth.data.token !== SAMPLE_TOKEN) {
        send({
          type: 'failure',
          id: null,
          error: new Failure('unauthorized', foreignWords('The key is missing or wrong.')).toValue(),
        })
        return socket.close(1008)
      }
      trusted = true
      return send({ type: 'ready', version: '0.0.0-sample' })
    }
    const message = clientMessage.parse(value)
    if (message.type === 'subscribe') {
      wanted = message.events
      return tick()
    }
    const always: readonly string[] = ['engine.status', 'settings.get']
    if (scene === 'loading' && !always.includes(message.method)) return
    answer(answers, scene === 'error' && !always.includes(message.method), message.method, message.params).then(
      (result) => {
        send({ type: 'answer', id: message.id, result })
        if (message.method.startsWith('engine.') && wanted.includes('engine.status'))
          answers.handlers['engine.status'](null).then(
            (data) => send({ type: 'event', event: 'engine.status', data }),
            () => undefined,
          )
        if (message.method === 'jobs.submit') stream(send, (result as { id: string }).id, () => wanted)
      },
      (error: unknown) => send({ type: 'failure', id: message.id, error: toFailureValue(error) }),
    )
  })
}

async function answer(
  answers: ReturnType<typeof sample>,
  fails: boolean,
  method: string,
  params: unknown,
): Promise<unknown> {
  if (!(method in procedures)) throw new Failure('wrong-usage', foreignWords(`There is no ${method}.`))
  if (fails) throw new Failure('ledger-damaged', foreignWords('The ledger cannot be read.'))
  const name = method as MethodName
  const handler = answers.handlers[name] as (input: unknown) => Promise<unknown>
  return handler(procedures[name].input.parse(params))
}

const WORDS = 'Paris is the capital of France, on the river Seine .'.split(' ')

/** Streams a few tokens as a chat would. */
function stream(send: (value: unknown) => void, id: string, wanted: () => readonly string[]): void {
  WORDS.forEach((word, index) => {
    setTimeout(
      () => {
        if (wanted().includes('job.token'))
          send({ type: 'event', event: 'job.token', data: { id, text: index === 0 ? word : ` ${word}`, index } })
      },
      150 * (index + 1),
    )
  })
}

/** The engine's loopback server: the page over HTTP, the contract over a WebSocket. Requests of other sites are refused. */
import { timingSafeEqual } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import fastifyStatic from '@fastify/static'
import fastify from 'fastify'
import { WebSocketServer, type WebSocket } from 'ws'
import { authMessage } from '#shared/contract/rpc'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { openClientSession, type EngineApi, type FaultLog } from './client-session'
import { CONTENT_SECURITY_POLICY } from './csp'
import { acceptUploads } from './upload'

export interface LoopbackServer {
  readonly port: number
  /** `http://127.0.0.1:PORT/` without the token */
  readonly origin: string
  /** the link for a person: the token is in the fragment, which browsers do not send */
  readonly link: string
  close(): Promise<void>
}

/** An image of 32 MiB in base64 and the JSON around it. */
const MAX_MESSAGE_BYTES = 48 * 1024 * 1024
const AUTHENTICATION_MILLISECONDS = 5000
const PING_MILLISECONDS = 20_000
/** A client that does not read is disconnected before its messages fill the engine's memory. */
const MAX_BUFFERED_BYTES = 64 * 1024 * 1024

/**
 * Listens on 127.0.0.1. `port` 0: a random free one. `pageFolder` null: no page, the WebSocket only.
 * Throws Failure when the port is taken.
 */
export async function startLoopbackServer(options: {
  api: EngineApi
  token: string
  port: number
  pageFolder: string | null
  /** the folder for model files that the page uploads */
  uploadsFolder: string
  logFault: FaultLog
}): Promise<LoopbackServer> {
  const { api, token, logFault } = options
  const app = fastify({ forceCloseConnections: true })
  let ownHosts: string[] = []

  app.addHook('onRequest', async (request, reply) => {
    // A page of another site may resolve its own name to 127.0.0.1: the Host header shows it.
    if (!ownHosts.includes(request.headers.host ?? '')) {
      await reply.code(403).type('text/plain').send('Lode answers to its own address only.\n')
      return
    }
    void reply.headers({
      'content-security-policy': CONTENT_SECURITY_POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-cache',
    })
  })
  if (options.pageFolder !== null && existsSync(options.pageFolder)) {
    await app.register(fastifyStatic, { root: options.pageFolder, cacheControl: false, dotfiles: 'deny' })
  } else {
    app.get('/', async (_request, reply) => reply.type('text/plain').send('Lode runs here without its page.\n'))
  }
  acceptUploads(app, options.uploadsFolder, (given) => isSameToken(given, token))
  app.setErrorHandler(async (error, _request, reply) => {
    const status = (error as { statusCode?: number }).statusCode ?? 500
    if (status >= 500) logFault('http', error)
    await reply.code(status).type('text/plain').send('Not understood.\n')
  })

  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES })
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    const refusal = upgradeRefusal(request, ownHosts)
    if (refusal !== null) {
      socket.end(`HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: ${refusal.length}\r\n\r\n${refusal}`)
      return
    }
    sockets.handleUpgrade(request, socket, head, (client) => serveSocket(client, api, token, logFault))
  })

  try {
    await app.listen({ host: '127.0.0.1', port: options.port })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error
    throw new Failure('unavailable', message('server-port-taken', { port: String(options.port), code }))
  }
  const { port } = app.server.address() as AddressInfo
  ownHosts = [`127.0.0.1:${port}`, `localhost:${port}`]
  const origin = `http://127.0.0.1:${port}/`
  return {
    port,
    origin,
    link: `${origin}#token=${token}`,
    close: async () => {
      for (const client of sockets.clients) client.terminate()
      sockets.close()
      await app.close()
    },
  }
}

/** A browser always sends Origin with a WebSocket; the command line sends none. */
function upgradeRefusal(request: IncomingMessage, ownHosts: readonly string[]): string | null {
  const { host, origin } = request.headers
  if (!ownHosts.includes(host ?? '')) return 'Lode answers to its own address only.\n'
  if (origin !== undefined && !ownHosts.some((own) => origin === `http://${own}`))
    return 'Another page may not talk to Lode.\n'
  if (new URL(request.url ?? '/', 'http://lode').pathname !== '/ws') return 'The door is /ws.\n'
  return null
}

function serveSocket(client: WebSocket, api: EngineApi, token: string, logFault: FaultLog): void {
  const timer = setTimeout(() => client.close(4401, 'no token'), AUTHENTICATION_MILLISECONDS)
  let receive: ((raw: unknown) => void) | null = null
  let alive = true
  const pings = setInterval(() => {
    if (!alive) client.terminate()
    alive = false
    client.ping()
  }, PING_MILLISECONDS)
  let closeSession = (): void => undefined

  client.on('pong', () => {
    alive = true
  })
  client.on('error', () => client.terminate())
  client.on('close', () => {
    clearTimeout(timer)
    clearInterval(pings)
    closeSession()
  })
  client.on('message', (data, isBinary) => {
    const raw = isBinary ? undefined : parseJson(String(data as Buffer))
    if (receive !== null) {
      receive(raw)
      return
    }
    const auth = authMessage.safeParse(raw)
    if (!auth.success || !isSameToken(auth.data.token, token)) {
      client.close(4401, 'wrong token')
      return
    }
    clearTimeout(timer)
    const session = openClientSession(
      api,
      {
        send: (message) => {
          if (client.bufferedAmount > MAX_BUFFERED_BYTES) client.terminate()
          else if (client.readyState === client.OPEN) client.send(JSON.stringify(message))
        },
      },
      logFault,
    )
    receive = session.receive
    closeSession = session.close
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Compares in constant time, so that a token cannot be guessed digit by digit. */
function isSameToken(given: string, own: string): boolean {
  const a = Buffer.from(given)
  const b = Buffer.from(own)
  return a.length === b.length && timingSafeEqual(a, b)
}

/** The command's client of the engine: over a WebSocket to a running one, or straight into one in this process. */
import WebSocket from 'ws'
import { createContractClient, type ContractClient } from '#shared/contract/client'
import { serverMessage, type ClientMessage } from '#shared/contract/rpc'
import { Failure } from '#shared/domain/errors'
import { message } from '#shared/domain/messages'
import { openClientSession, type EngineApi, type FaultLog } from '#server/client-session'

export interface EngineClient extends Pick<ContractClient, 'call' | 'on'> {
  onClose(listener: () => void): void
  close(): void
}

const clientTo = (send: (message: ClientMessage) => void): ContractClient =>
  createContractClient({
    send,
    unavailable: () => new Failure('unavailable', message('engine-went-away')),
  })

/** To an engine in this process, through the same parsing as any other client. */
export function connectInProcess(api: EngineApi, logFault: FaultLog): EngineClient {
  const rpc = clientTo((message) => session.receive(message))
  const session = openClientSession(api, { send: rpc.receive }, logFault)
  rpc.connected()
  return { call: rpc.call, on: rpc.on, onClose: () => undefined, close: () => session.close() }
}

const CONNECT_MILLISECONDS = 5000

/** To a running engine. Rejects with Failure `unavailable` when nobody answers, `unauthorized` for a wrong token. */
export function connectWebSocket(port: number, token: string): Promise<EngineClient> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, {
      handshakeTimeout: CONNECT_MILLISECONDS,
      maxPayload: 256 * 1024 * 1024,
    })
    const closeListeners: (() => void)[] = []
    const rpc = clientTo((message) => {
      if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message))
    })
    const client: EngineClient = {
      call: rpc.call,
      on: rpc.on,
      onClose: (listener) => void closeListeners.push(listener),
      close: () => socket.close(),
    }
    const unavailable = (): Failure => new Failure('unavailable', message('engine-silent'))
    const timer = setTimeout(() => {
      socket.terminate()
      reject(unavailable())
    }, CONNECT_MILLISECONDS)
    let isReady = false
    socket.on('open', () => socket.send(JSON.stringify({ type: 'auth', token })))
    socket.on('message', (data) => {
      const message = serverMessage.safeParse(JSON.parse(String(data as Buffer)))
      if (!message.success) return
      if (!isReady && message.data.type === 'ready') {
        isReady = true
        clearTimeout(timer)
        rpc.connected()
        resolve(client)
      } else rpc.receive(message.data)
    })
    socket.on('error', () => {
      clearTimeout(timer)
      reject(unavailable())
    })
    socket.on('close', (code) => {
      clearTimeout(timer)
      reject(code === 4401 ? new Failure('unauthorized', message('engine-token-refused')) : unavailable())
      rpc.disconnected()
      for (const listener of closeListeners) listener()
    })
  })
}

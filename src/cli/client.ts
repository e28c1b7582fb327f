/** A client of the engine's contract: over a WebSocket to a running engine, or straight into one in this process. */
import WebSocket from 'ws'
import {
  events as eventSchemas,
  procedures,
  type EventData,
  type EventName,
  type MethodName,
  type Params,
  type Result,
} from '#shared/contract/index'
import { serverMessage, type ClientMessage, type ServerMessage } from '#shared/contract/rpc'
import { Failure } from '#shared/domain/errors'
import { openClientSession, type EngineApi, type FaultLog } from '#server/client-session'

export interface EngineClient {
  call<M extends MethodName>(method: M, params: Params<M>): Promise<Result<M>>
  /** Asks for an event and calls back. */
  on<E extends EventName>(event: E, listener: (data: EventData<E>) => void): void
  onClose(listener: () => void): void
  close(): void
}

function createClient(
  send: (message: ClientMessage) => void,
  closeTransport: () => void,
): { client: EngineClient; receive: (raw: unknown) => void; closed: () => void } {
  const waiting = new Map<
    number,
    { method: MethodName; resolve: (value: never) => void; reject: (error: Failure) => void }
  >()
  const listeners = new Map<EventName, ((data: never) => void)[]>()
  const closers: (() => void)[] = []
  let nextId = 1
  let gone = false
  const engineGone = (): Failure => new Failure('unavailable', 'the engine went away', 'Start it again.')

  const receive = (raw: unknown): void => {
    const parsed = serverMessage.safeParse(raw)
    if (!parsed.success) return
    const message: ServerMessage = parsed.data
    if (message.type === 'answer') {
      const entry = waiting.get(message.id)
      waiting.delete(message.id)
      if (!entry) return
      const result = procedures[entry.method].output.safeParse(message.result)
      if (result.success) entry.resolve(result.data as never)
      else
        entry.reject(
          new Failure(
            'internal',
            `the engine's answer to ${entry.method} was not understood`,
            'Engine and command may be of different versions.',
          ),
        )
    } else if (message.type === 'failure' && message.id !== null) {
      waiting.get(message.id)?.reject(Failure.from(message.error))
      waiting.delete(message.id)
    } else if (message.type === 'event') {
      const name = message.event as EventName
      const data = eventSchemas[name]?.safeParse(message.data)
      if (data?.success) for (const listener of listeners.get(name) ?? []) listener(data.data as never)
    }
  }
  return {
    receive,
    closed: () => {
      gone = true
      for (const entry of waiting.values()) entry.reject(engineGone())
      waiting.clear()
      for (const closer of closers) closer()
    },
    client: {
      call: (method, params) =>
        new Promise((resolve, reject) => {
          // No answer can come any more.
          if (gone) {
            reject(engineGone())
            return
          }
          const id = nextId++
          waiting.set(id, { method, resolve, reject })
          send({ type: 'request', id, method, params })
        }),
      on: (event, listener) => {
        listeners.set(event, [...(listeners.get(event) ?? []), listener as (data: never) => void])
        send({ type: 'subscribe', events: [...listeners.keys()] })
      },
      onClose: (listener) => void closers.push(listener),
      close: closeTransport,
    },
  }
}

/** To an engine in this process, through the same parsing as any other client. */
export function connectInProcess(api: EngineApi, logFault: FaultLog): EngineClient {
  const pair = createClient(
    (message) => session.receive(message),
    () => session.close(),
  )
  const session = openClientSession(api, { send: (message) => pair.receive(message) }, logFault)
  return pair.client
}

const CONNECT_MILLISECONDS = 5000

/** To a running engine. Rejects with Failure `unavailable` when nobody answers, `unauthorized` for a wrong token. */
export function connectWebSocket(port: number, token: string): Promise<EngineClient> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, {
      handshakeTimeout: CONNECT_MILLISECONDS,
      maxPayload: 256 * 1024 * 1024,
    })
    const pair = createClient(
      (message) => {
        if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message))
      },
      () => socket.close(),
    )
    const unavailable = (): Failure =>
      new Failure('unavailable', 'the engine does not answer', 'If it hangs, end its process and start it again.')
    const timer = setTimeout(() => {
      socket.terminate()
      reject(unavailable())
    }, CONNECT_MILLISECONDS)
    let ready = false
    socket.on('open', () => socket.send(JSON.stringify({ type: 'auth', token })))
    socket.on('message', (data) => {
      const message = serverMessage.safeParse(JSON.parse(String(data as Buffer)))
      if (!ready && message.success && message.data.type === 'ready') {
        ready = true
        clearTimeout(timer)
        resolve(pair.client)
      } else if (message.success) pair.receive(message.data)
    })
    socket.on('error', () => {
      clearTimeout(timer)
      reject(unavailable())
    })
    socket.on('close', (code) => {
      clearTimeout(timer)
      reject(
        code === 4401 ? new Failure('unauthorized', 'the engine did not take the token in engine.json') : unavailable(),
      )
      pair.closed()
    })
  })
}

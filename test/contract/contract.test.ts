/** The same contract over both transports, against a real engine: every procedure answers, rubbish is refused, the engine stays up. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { portPair } from '#process/port'
import { openClientSession } from '#server/client-session'
import { procedures, type MethodName } from '#shared/contract/index'
import { serverMessage, type ServerMessage } from '#shared/contract/rpc'
import { startTestEngine, type TestEngine } from '../support/engine'
import { temporaryFolder } from '../support/lode'

let running: TestEngine
beforeAll(async () => {
  running = await startTestEngine(temporaryFolder())
})
afterAll(() => running.close())

interface Transport {
  send(message: unknown): void
  next(fits: (message: ServerMessage) => boolean): Promise<ServerMessage>
  close(): void
}

/** Collects what arrives and hands it out as it is asked for. */
function inbox() {
  const received: ServerMessage[] = []
  const waiting: { fits: (message: ServerMessage) => boolean; resolve: (message: ServerMessage) => void }[] = []
  return {
    take: (raw: unknown): void => {
      const message = serverMessage.parse(raw)
      received.push(message)
      for (const entry of waiting.filter(({ fits }) => fits(message))) {
        waiting.splice(waiting.indexOf(entry), 1)
        entry.resolve(message)
      }
    },
    next: (fits: (message: ServerMessage) => boolean): Promise<ServerMessage> => {
      const past = received.find(fits)
      return past ? Promise.resolve(past) : new Promise((resolve) => waiting.push({ fits, resolve }))
    },
  }
}

const transports: Record<string, () => Promise<Transport>> = {
  MessagePort: async () => {
    const [client, engine] = portPair()
    const box = inbox()
    client.onMessage(box.take)
    const session = openClientSession(
      running.engine.api,
      { send: (message) => engine.send(message) },
      (where, error) => void running.complaints.push(`fault: ${where} ${String(error)}`),
    )
    engine.onMessage(session.receive)
    engine.onClose(session.close)
    return { send: (message) => client.send(message), next: box.next, close: () => client.close() }
  },
  WebSocket: async () => {
    const socket = await open({})
    const box = inbox()
    socket.on('message', (data) => box.take(JSON.parse(String(data as Buffer))))
    socket.send(JSON.stringify({ type: 'auth', token: running.token }))
    return { send: (message) => socket.send(JSON.stringify(message)), next: box.next, close: () => socket.close() }
  },
}

function open(headers: Record<string, string>, path = '/ws'): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${running.server.port}${path}`, { headers })
    socket.once('open', () => resolve(socket))
    socket.once('error', reject)
  })
}

/** Input for every procedure that changes nothing or next to nothing. */
const inputs: { [M in MethodName]: unknown } = {
  'engine.status': null,
  'engine.start': { devices: ['no-such-device'] },
  'engine.stop': { finish: false },
  'engine.keepGoing': { keepGoing: false },
  'engine.today': null,
  'engine.history': { period: '1h' },
  'engine.presence': { idleSeconds: 0 },
  'engine.quit': null,
  'devices.list': null,
  'devices.refresh': null,
  'devices.configure': { id: 'cpu0' },
  'devices.retry': { id: 'cpu0' },
  'devices.benchmark': { id: 'cpu0', tier: 'itp1-test', seconds: 1 },
  'devices.cancelBenchmark': { id: 'cpu0' },
  'devices.benchmarks': { id: 'cpu0' },
  'devices.exportBenchmark': { benchmarkId: 'none' },
  'jobs.page': { filter: {}, offset: 0, limit: 10 },
  'jobs.get': { id: 'none' },
  'jobs.summary': null,
  'jobs.submit': { input: { kind: 'chat', messages: [{ role: 'user', content: 'x' }], maxTokens: 1 }, model: 'none' },
  'jobs.cancel': { id: 'none' },
  'earnings.funnel': { period: '7d' },
  'earnings.days': { period: '30d' },
  'earnings.credits': { offset: 0, limit: 10 },
  'earnings.export': { format: 'csv' },
  'ledger.verify': null,
  'settings.get': null,
  'settings.set': { theme: 'dark' },
  'address.check': { address: '0x' },
  'address.show': null,
  'address.set': { address: 'wrong', confirm: 'wrong' },
  'address.history': null,
  'about.get': null,
  'models.list': null,
  'models.catalogue': null,
  'models.get': { id: 'none' },
  'models.pause': { id: 'none' },
  'models.cancel': { id: 'none' },
  'models.downloads': null,
  'models.gc': { quotaBytes: 0, dryRun: true },
  'models.add': { path: '/no/such/folder' },
  'models.remove': { id: 'none' },
  'models.verify': null,
  'drivers.list': null,
  'drivers.inspect': { path: '/no/such/folder' },
  'drivers.add': { path: '/no/such/folder', sha256: 'ab'.repeat(32) },
  'drivers.remove': { name: 'none' },
  'drivers.retry': { name: 'none' },
  'drivers.check': { name: 'none' },
  'drivers.checks': null,
}
/** Those whose input above must be refused, with the code. */
const refusals: Partial<Record<MethodName, string>> = {
  'engine.start': 'not-found',
  'devices.exportBenchmark': 'not-found',
  'jobs.get': 'not-found',
  'jobs.submit': 'not-found',
  'jobs.cancel': 'not-found',
  'address.set': 'address-refused',
  'models.get': 'not-found',
  'models.pause': 'not-found',
  'models.add': 'not-found',
  'models.remove': 'not-found',
  'drivers.inspect': 'not-found',
  'drivers.add': 'not-found',
  'drivers.remove': 'not-found',
  'drivers.retry': 'not-found',
  'drivers.check': 'not-found',
}

describe.each(Object.keys(transports))('over a %s', (name) => {
  const connect = async (): Promise<Transport> => {
    const transport = await (transports[name] as () => Promise<Transport>)()
    await transport.next((message) => message.type === 'ready')
    return transport
  }

  test.each(Object.keys(procedures) as MethodName[])('%s answers as the contract says', async (method) => {
    const transport = await connect()
    transport.send({ type: 'request', id: 1, method, params: inputs[method] })
    const message = await transport.next((candidate) => 'id' in candidate && candidate.id === 1)
    const refusal = refusals[method]
    if (refusal === undefined) {
      expect(message).toMatchObject({ type: 'answer', id: 1 })
      if (message.type === 'answer') procedures[method].output.parse(message.result)
    } else expect(message).toMatchObject({ type: 'failure', id: 1, error: { code: refusal } })
    transport.close()
  })

  test('a wrong parameter is refused with its name', async () => {
    const transport = await connect()
    transport.send({ type: 'request', id: 7, method: 'jobs.page', params: { filter: {}, offset: -1, limit: 10 } })
    const message = await transport.next((candidate) => 'id' in candidate && candidate.id === 7)
    expect(message).toMatchObject({
      type: 'failure',
      error: { code: 'wrong-usage', words: { params: { fault: expect.stringContaining('offset') as string } } },
    })
    transport.close()
  })

  test.each([
    ['an unknown procedure', { type: 'request', id: 3, method: 'engine.explode', params: null }],
    ['a procedure of every object', { type: 'request', id: 3, method: 'constructor', params: null }],
    ['an unknown message', { type: 'hello' }],
    ['a number', 42],
    ['nothing', null],
    ['an unknown event', { type: 'subscribe', events: ['engine.secrets'] }],
  ])('%s is refused and the engine stays up', async (_what, rubbish) => {
    const transport = await connect()
    transport.send(rubbish)
    expect(await transport.next((message) => message.type === 'failure')).toMatchObject({
      error: { code: 'wrong-usage' },
    })
    transport.send({ type: 'request', id: 99, method: 'settings.get', params: null })
    expect(await transport.next((message) => 'id' in message && message.id === 99)).toMatchObject({ type: 'answer' })
    transport.close()
  })

  test('events come only to those who asked', async () => {
    const [asking, silent] = [await connect(), await connect()]
    asking.send({ type: 'subscribe', events: ['settings.changed'] })
    asking.send({ type: 'request', id: 1, method: 'settings.set', params: { rigName: `rig of ${name}` } })
    expect(await asking.next((message) => message.type === 'event')).toMatchObject({
      event: 'settings.changed',
      data: { rigName: `rig of ${name}` },
    })
    silent.send({ type: 'request', id: 2, method: 'settings.get', params: null })
    await silent.next((message) => 'id' in message && message.id === 2)
    const nothing = await Promise.race([silent.next((message) => message.type === 'event'), Promise.resolve('none')])
    expect(nothing).toBe('none')
    asking.close()
    silent.close()
  })
})

describe('the loopback door', () => {
  const closed = (socket: WebSocket): Promise<number> => new Promise((resolve) => socket.once('close', resolve))

  test.each([
    ['no token', { type: 'request', id: 1, method: 'settings.get', params: null }],
    ['a wrong token', { type: 'auth', token: 'x'.repeat(43) }],
    ['an empty token', { type: 'auth', token: '' }],
    ['rubbish', 'rubbish'],
  ])('%s is turned away', async (_what, first) => {
    const socket = await open({})
    socket.send(JSON.stringify(first))
    expect(await closed(socket)).toBe(4401)
  })

  test('binary rubbish before the token is turned away', async () => {
    const socket = await open({})
    socket.send(Buffer.from([0, 255, 1, 254]))
    expect(await closed(socket)).toBe(4401)
  })

  test.each([
    ['a foreign Origin', { origin: 'https://evil.example' }],
    ['an opaque Origin', { origin: 'null' }],
    ['a foreign Host', { host: 'evil.example' }],
  ])('%s may not open a WebSocket', async (_what, headers) => {
    await expect(open(headers)).rejects.toThrow('403')
  })

  test('another path may not open a WebSocket', async () => {
    await expect(open({}, '/else')).rejects.toThrow('403')
  })

  test('its own Origin may', async () => {
    const socket = await open({ origin: `http://127.0.0.1:${running.server.port}` })
    expect(socket.readyState).toBe(socket.OPEN)
    socket.close()
  })

  test('a foreign Host gets no page, and the page forbids what it does not need', async () => {
    const { request } = await import('node:http')
    const status = await new Promise<number>((resolve, reject) => {
      request(
        { host: '127.0.0.1', port: running.server.port, path: '/', headers: { host: 'evil.example' } },
        (answer) => {
          answer.resume()
          resolve(answer.statusCode ?? 0)
        },
      )
        .on('error', reject)
        .end()
    })
    expect(status).toBe(403)
    const page = await fetch(running.server.origin)
    expect(page.status).toBe(200)
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(page.headers.get('content-security-policy')).not.toContain('unsafe')
    expect((await fetch(`${running.server.origin}..%2f..%2fpackage.json`)).status).toBeGreaterThanOrEqual(400)
  })

  test('after all of it the engine has no complaint about itself', () => {
    expect(running.complaints.filter((complaint) => !complaint.startsWith('warning: '))).toEqual([])
  })
})

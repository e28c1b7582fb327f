/** A real proxy: what is fetched goes through it, this computer is asked without it. */
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { applyProxy } from './proxy'

const listening = (server: Server): Promise<number> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))

test('HTTPS_PROXY counts for other computers and never for this one', async () => {
  const own = createServer((_request, response) => response.end('own'))
  const asked: string[] = []
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.end('through the proxy')
  })
  proxy.on('connect', (request, socket) => {
    asked.push(request.url ?? '')
    const through = connect(ownPort, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      through.pipe(socket).pipe(through)
    })
    socket.on('error', () => through.destroy())
    through.on('error', () => socket.destroy())
  })
  const ownPort = await listening(own)
  const proxyPort = await listening(proxy)
  onTestFinished(() => {
    for (const server of [own, proxy]) {
      server.close()
      server.closeAllConnections()
    }
  })
  const address = `http://127.0.0.1:${proxyPort}`
  applyProxy({ HTTPS_PROXY: address, HTTP_PROXY: address })
  expect(await (await fetch(`http://127.0.0.1:${ownPort}/`)).text()).toBe('own')
  expect(asked).toEqual([])
  await (await fetch('http://models.example/file')).text()
  expect(asked).toEqual([expect.stringContaining('models.example')])
})

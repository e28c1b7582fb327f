/** A real HTTPS server on loopback that serves one file well or badly, with a certificate made for the test. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type ServerOptions } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'

export const REVISION = 'ab'.repeat(20)

export interface FileServer {
  origin: string
  /** requests so far, with the range that each asked for */
  requests: { path: string; range: string | null }[]
  /** what answers the next requests; the whole file with ranges until it is set */
  answer: (request: IncomingMessage, response: ServerResponse, content: Uint8Array) => void
  close(): Promise<void>
}

/** Answers as a good server does. */
export function serveWell(request: IncomingMessage, response: ServerResponse, content: Uint8Array): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': content.length - from,
    'accept-ranges': 'bytes',
  }
  if (from > 0)
    response.writeHead(206, { ...headers, 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` })
  else response.writeHead(200, headers)
  response.end(content.subarray(from))
}

/** Sends the beginning of the answer and then drops the line. */
export function breakAt(share: number): FileServer['answer'] {
  return (request, response, content) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const end = Math.floor(content.length * share)
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': content.length - from,
      ...(from > 0 ? { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` } : {}),
    })
    response.write(content.subarray(from, Math.max(from, end)), () => setTimeout(() => request.socket.destroy(), 20))
  }
}

let certificate: { key: string; cert: string } | null = null
/** One certificate a process, for 127.0.0.1; null where there is no openssl to make it. */
export function testCertificate(): { key: string; cert: string } | null {
  if (certificate !== null) return certificate
  const folder = mkdtempSync(join(tmpdir(), 'lode-certificate-'))
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(folder, name)) as [string, string]
  try {
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=lode test',
        '-addext',
        'subjectAltName=IP:127.0.0.1',
        '-keyout',
        key,
        '-out',
        cert,
      ],
      { stdio: 'ignore' },
    )
    certificate = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
    return certificate
  } catch {
    return null
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** This process trusts the test's certificate beside those that it trusts anyway. */
export function trustTestCertificate(): void {
  const made = testCertificate()
  if (made !== null) tls.setDefaultCACertificates([...tls.getCACertificates('default'), made.cert])
}

export async function startFileServer(content: Uint8Array, options: ServerOptions = {}): Promise<FileServer> {
  const made = testCertificate()
  const server = createServer({ ...made, ...options }, (request, response) => {
    response.on('error', () => undefined)
    file.requests.push({ path: request.url ?? '', range: request.headers.range ?? null })
    file.answer(request, response, content)
  })
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const file: FileServer = {
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    answer: serveWell,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return file
}

export const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex')

/** Model files that a person drops on the page: they are written below the engine's own folder only. */
import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { FastifyInstance } from 'fastify'
import { relativePath } from '#shared/domain/manifest'

/** The largest model file. */
const MAX_UPLOAD_BYTES = 64 * 1024 ** 3
const SET = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * `PUT /upload/SET/PATH` with `authorization: Bearer TOKEN` and the bytes as `application/octet-stream` writes
 * `folder/SET/PATH`. Answers 204; 401 without the token, 400 for a path that leaves the folder, 507 when the disk is full.
 */
export function acceptUploads(app: FastifyInstance, folder: string, isToken: (given: string) => boolean): void {
  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload))
  app.put('/upload/:set/*', { bodyLimit: MAX_UPLOAD_BYTES }, async (request, reply) => {
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    if (given === undefined || !isToken(given)) return reply.code(401).type('text/plain').send('Not allowed.\n')
    const { set, '*': path } = request.params as { set: string; '*': string }
    if (!SET.test(set) || !relativePath.safeParse(path).success)
      return reply.code(400).type('text/plain').send('No such place.\n')
    const target = join(folder, set, path)
    await mkdir(dirname(target), { recursive: true })
    try {
      await pipeline(request.body as Readable, createWriteStream(target, { flags: 'wx' }))
    } catch (error) {
      await rm(join(folder, set), { recursive: true, force: true })
      const { code } = error as NodeJS.ErrnoException
      const full = code === 'ENOSPC' || code === 'EDQUOT'
      return reply
        .code(full ? 507 : 400)
        .type('text/plain')
        .send(full ? 'The disk is full.\n' : 'Not written.\n')
    }
    return reply.code(204).send()
  })
}

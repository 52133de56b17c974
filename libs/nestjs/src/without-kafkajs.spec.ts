import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from '@jest/globals'
import { startSingle } from '@rivulet/testing'

const LIBS = join(import.meta.dirname, '../..')

it('asks and answers without loading kafkajs, and the process ends by itself', async () => {
  const redis = await startSingle()
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      ...['--disable-warning=ExperimentalWarning', '--conditions=@rivulet/source'],
      ...['--import', join(LIBS, 'client/spec-support/typescript-loader.mjs')],
      ...[join(LIBS, 'nestjs/spec-support/request-and-reply.ts'), redis.url],
    ],
    { timeout: 15_000 },
  )
  await redis.stop()
  expect(JSON.parse(stdout)).toEqual({ answer: '42', kafkajs: [] })
})

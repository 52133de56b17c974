import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { RedisServerProcess } from '@rivulet/redis-server'
import { InstalledApp } from '../spec-support/kafkajs-app.js'
import { startSingle, uniqueNamespace } from './topologies/index.js'

const EXPECTED = new URL('../fixtures/kafkajs-app/expected-output.txt', import.meta.url)

const kafka = process.env['KAFKA_BROKERS']?.split(',')[0]

/** What the application runs on, and the client that it finds by the name of kafkajs. */
const surroundings = [
  { client: "Rivulet's client", install: () => InstalledApp.withRivulet(), broker: null },
  ...(kafka === undefined
    ? []
    : [{ client: 'kafkajs itself', install: () => InstalledApp.withKafkajs(), broker: kafka }]),
]

describe.each(surroundings)("an application that imports 'kafkajs' and finds $client", ({ install, broker }) => {
  let app: InstalledApp
  let redis: RedisServerProcess | undefined
  let env: Record<string, string>

  beforeAll(async () => {
    app = await install()
    // A server of its own: the application knows nothing of namespaces, and uses the default one.
    if (broker === null) redis = await startSingle()
    env = {
      BROKER: broker ?? `127.0.0.1:${redis?.port}`,
      PREFIX: uniqueNamespace('alias'),
      KAFKAJS_NO_PARTITIONER_WARNING: '1',
      // What is not published must not be found.
      NODE_OPTIONS: '',
    }
  })
  afterAll(async () => {
    await redis?.stop()
    await app.remove()
  })

  it('does what it was written to do', async () => {
    expect(await app.run('shop.cjs', env)).toBe(await readFile(EXPECTED, 'utf8'))
  })

  it('finds all of it from an ES module: by names, as a whole, and by import()', async () => {
    expect(JSON.parse(await app.run('ways-in.mjs', env))).toEqual({
      same: [true, true, true, true],
      names: true,
      topics: true,
    })
  })

  it('finds all of it by require()', async () => {
    expect(JSON.parse(await app.run('ways-in.cjs', env))).toEqual({
      same: [true, true, true],
      names: true,
      topics: true,
    })
  })
})

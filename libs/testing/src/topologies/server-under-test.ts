import { randomUUID } from 'node:crypto'

export type TestTopology = 'single' | 'cluster'

/** What the run's server is: RIVULET_TEST_TOPOLOGY, by default one server. */
export function testTopology(): TestTopology {
  const given = process.env['RIVULET_TEST_TOPOLOGY'] || 'single'
  if (given === 'single' || given === 'cluster') return given
  throw new Error(`RIVULET_TEST_TOPOLOGY=${given} is neither 'single' nor 'cluster'`)
}

/**
 * The URL of the run's server (in a cluster: of its first node). All specs share it: use a namespace of your own, and
 * neither flush nor configure nor stop it; `startSingle` gives one for that.
 */
export function testRedisUrl(): string {
  const [url] = testRedisUrls()
  if (url === undefined) throw new Error('RIVULET_TEST_REDIS_URL is empty')
  return url
}

/** The URLs of the run's server: one, or in a cluster one for each node. */
export function testRedisUrls(): readonly string[] {
  const urls = process.env['RIVULET_TEST_REDIS_URL']
  if (urls) return urls.split(',')
  const reason = process.env['RIVULET_TEST_REDIS_ERROR']
  throw new Error(
    reason ||
      "There is no RIVULET_TEST_REDIS_URL: libs/testing/jest/global-setup.js sets it, run specs by the repository's jest.config.js",
  )
}

/** A namespace that no other spec, run or test in this file uses. */
export function uniqueNamespace(prefix = 'test'): string {
  return `${prefix}-${randomUUID().slice(0, 13)}`
}

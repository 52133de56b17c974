import { describe, expect, it } from '@jest/globals'
import { sendCommand } from './servers.js'
import { testRedisUrls, testTopology, uniqueNamespace } from './server-under-test.js'

describe("the run's server", () => {
  it('answers, and is what RIVULET_TEST_TOPOLOGY says', async () => {
    for (const url of testRedisUrls()) {
      const { hostname, port } = new URL(url)
      const info = String(await sendCommand({ host: hostname, port: Number(port) }, 'INFO', 'cluster'))
      expect(info).toContain(`cluster_enabled:${testTopology() === 'cluster' ? 1 : 0}`)
    }
  })

  it('is shared under namespaces that differ', () => {
    expect(uniqueNamespace()).not.toBe(uniqueNamespace())
    expect(uniqueNamespace('orders')).toMatch(/^orders-[0-9a-f-]+$/)
  })
})

// Finds or starts the run's server, for all specs, and tells them its URL (see src/topologies/server-under-test.ts).
// Jest loads this file as it is, with neither transform nor source condition: it uses what `npm run build` made.
import { rememberForTeardown } from './server-of-run.js'

export default async function globalSetup() {
  if (process.env['RIVULET_TEST_REDIS_URL']) return
  try {
    const { urls, stop, description } = await start(process.env['RIVULET_TEST_TOPOLOGY'] || 'single')
    process.env['RIVULET_TEST_REDIS_URL'] = urls.join(',')
    rememberForTeardown(stop)
    process.stderr.write(`Specs run on ${description}\n`)
  } catch (error) {
    // specs that need no server run all the same; the others fail with this
    process.env['RIVULET_TEST_REDIS_ERROR'] = error instanceof Error ? error.message : String(error)
    process.stderr.write(`Specs run without a Redis, and those that need one fail:\n${String(error)}\n`)
  }
}

/** @param {string} topology */
async function start(topology) {
  if (topology === 'single') {
    const { findRedisServer } = await built('@rivulet/redis-server')
    const server = await findRedisServer({ log: (/** @type {string} */ line) => process.stderr.write(`${line}\n`) })
    return { urls: [server.url], stop: () => server.stop(), description: `${server.description}: a single server` }
  }
  if (topology === 'cluster') {
    const { startCluster } = await built('../dist/topologies/index.js')
    const cluster = await startCluster({ primaries: 3 })
    const description = `${cluster.nodes[0].server.description}: a cluster of ${cluster.nodes.length}`
    return { urls: cluster.urls, stop: () => cluster.stop(), description }
  }
  throw new Error(`RIVULET_TEST_TOPOLOGY=${topology} is neither 'single' nor 'cluster'`)
}

/** @param {string} module */
async function built(module) {
  try {
    return await import(module)
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Error(`${module} is not built: \`npm run build\` first (${error.message})`, { cause: error })
  }
}

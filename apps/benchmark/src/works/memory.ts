import { setTimeout as sleep } from 'node:timers/promises'
import { CompressionTypes } from '@rivulet/client'
import { findRedisServer, usedMemory } from '@rivulet/redis-server'
import { type MakeValue, KEYS, asciiValue, makeSends, orderEvent } from '../payloads.js'
import { RivuletPeer } from '../peers/rivulet.js'
import { fill } from './sending.js'
import { PARTITIONS, type Work, WrongResult } from './work.js'

/** Fixed costs (keys, scripts, buffers of connections) are then below a hundredth. */
const RECORDS = 400_000

/** How long the server may take to let go of what it frees in the background, s. */
const PATIENCE = 20

const LZ4 = 'JSON events with lz4, memory over data'

export const memory: Work = {
  number: 8,
  title: 'Redis memory over bytes of keys and values',
  peers: ['rivulet'],
  deterministic: true,
  figures: [
    { name: 'of100', title: 'sends of 100, memory over data', unit: 'ratio', targets: [{ atMost: 1.2 }] },
    { name: 'of1000', title: 'sends of 1,000, memory over data', unit: 'ratio', targets: [{ atMost: 1.2 }] },
    { name: 'json100', title: `${LZ4}, sends of 100`, unit: 'ratio', targets: [{ atMost: 0.4 }] },
    { name: 'json1000', title: `${LZ4}, sends of 1,000`, unit: 'ratio', targets: [{ atMost: 0.4 }] },
  ],
  open: async () => ({
    round: async () => ({
      of100: await memoryOverData(100, asciiValue, CompressionTypes.None),
      of1000: await memoryOverData(1000, asciiValue, CompressionTypes.None),
      json100: await memoryOverData(100, orderEvent, CompressionTypes.LZ4),
      json1000: await memoryOverData(1000, orderEvent, CompressionTypes.LZ4),
    }),
    close: async () => {},
  }),
}

/** On a server of its own, so that nothing else moves its memory. */
async function memoryOverData(size: number, value: MakeValue, compression: CompressionTypes): Promise<number> {
  const server = await findRedisServer({ ways: ['local', 'docker', 'package'] })
  try {
    const topic = { name: 'memory', partitions: PARTITIONS }
    const sends = makeSends(topic, size, KEYS, value)
    const first = new RivuletPeer({ redisUrl: server.url, prefix: 'bench' }, compression)
    await first.connect()
    await first.createTopic(topic)
    // scripts and connections are there from now on
    for (const messages of sends.slice(0, 10)) await first.send(topic, messages)
    const warmUp = await first.stored(topic)
    await first.close()
    const before = await settledMemory(server.url)
    const peer = new RivuletPeer({ redisUrl: server.url, prefix: 'bench' }, compression)
    await peer.connect()
    await fill(peer, topic, sends, RECORDS)
    const stored = (await peer.stored(topic)) - warmUp
    if (stored !== RECORDS) throw new WrongResult(`${RECORDS} records were acknowledged, ${stored} are there`)
    await peer.close()
    const after = await settledMemory(server.url)
    let bytes = 0
    const perSends = sends.flat()
    for (let i = 0; i < RECORDS; i++) {
      const record = perSends[i % perSends.length]
      bytes += (record?.key.length ?? 0) + (record?.value.length ?? 0)
    }
    return (after - before) / bytes
  } finally {
    await server.stop()
  }
}

/** When it does not change any more: what is freed lazily is free then, and buffers of connections have shrunk. */
async function settledMemory(url: string): Promise<number> {
  let before = NaN
  for (let i = 0; i < PATIENCE * 2; i++) {
    const now = (await usedMemory(url)) ?? NaN
    if (Math.abs(now - before) < 16_384) return now
    before = now
    await sleep(500)
  }
  return before
}

import { makeSends } from '../payloads.js'
import { median } from '../statistics.js'
import { perSecond } from './sending.js'
import { PARTITIONS, type Work, WrongResult } from './work.js'

export const oneAtATime: Work = {
  number: 4,
  title: 'single sends, one at a time',
  peers: ['rivulet', 'kafkajs', 'platformatic', 'bullmq', 'ioredis'],
  figures: [
    {
      name: 'rate',
      title: 'single sends, one at a time',
      unit: 'records/s',
      targets: [{ peer: 'kafkajs', atLeast: 2 }],
    },
    { name: 'p50', title: '  send to answer, p50', unit: 'ms', targets: [] },
  ],
  open: async (peer, context) => ({
    round: async ({ seconds }) => {
      const topic = await context.createTopic(PARTITIONS)
      const sends = makeSends(topic, 1)
      for (const messages of sends.slice(0, 100)) await peer.send(topic, messages)
      const before = await peer.stored(topic)
      const durations: number[] = []
      const start = performance.now()
      let now = start
      while (now < start + seconds * 1000) {
        await peer.send(topic, sends[durations.length % sends.length] ?? [])
        const answered = performance.now()
        durations.push(answered - now)
        now = answered
      }
      const stored = (await peer.stored(topic)) - before
      if (stored !== durations.length) {
        throw new WrongResult(`${durations.length} records were acknowledged, ${stored} are there`)
      }
      await context.deleteTopic(topic)
      return { rate: perSecond(durations.length, now - start), p50: median(durations) }
    },
    close: async () => {},
  }),
}

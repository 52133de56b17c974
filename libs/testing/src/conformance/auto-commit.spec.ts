import { setTimeout as elapsed } from 'node:timers/promises'
import { expect, it } from '@jest/globals'
import type kafkajs from 'kafkajs'
import { describeOnBoth } from './describe-on-both.js'
import { plainOffsets } from './support/reading.js'
import { Workbench } from './support/workbench.js'

const at = (topic: string, offset: string, partition = 0): kafkajs.TopicOffsets[] => [
  { topic, partitions: [{ partition, offset }] },
]

describeOnBoth('autoCommit', (target) => {
  const bench = new Workbench(target)

  it('commits what was handed out message by message once a batch, at its end', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const reading = await bench.read(topic)
    await reading.commits.until(1)
    expect(await bench.committedAtEnd(reading, topic)).toEqual(['3'])
    expect(reading.commits.entries).toEqual([at(topic, '3')])
  })

  it('commits nothing where nothing came', async () => {
    const topic = await bench.topic()
    const reading = await bench.read(topic)
    await reading.positioned()
    expect(await bench.committedAtEnd(reading, topic)).toEqual(['-1'])
    expect(reading.commits.entries).toEqual([])
  })

  it('commits whenever autoCommitThreshold messages were handled', async () => {
    const topic = await bench.topicWith('a', 'b', 'c', 'd', 'e')
    const reading = await bench.read(topic, { autoCommitThreshold: 2 })
    expect(await reading.commits.until(3)).toEqual([at(topic, '2'), at(topic, '4'), at(topic, '5')])
  })

  it('commits within a batch where autoCommitInterval has passed', async () => {
    const topic = await bench.topicWith('a', 'b')
    const reading = await bench.read(topic, {
      autoCommitInterval: 5,
      eachMessage: async ({ message }) => {
        if (message.offset === '0') await elapsed(20)
        else await reading.commits.until(1)
      },
    })
    expect(await reading.commits.until(2)).toEqual([at(topic, '1'), at(topic, '2')])
  })

  it('commits at the end of a batch where neither threshold nor interval is reached', async () => {
    const topic = await bench.topicWith('a', 'b')
    const reading = await bench.read(topic, { autoCommitThreshold: 100, autoCommitInterval: 60_000 })
    expect(await reading.commits.until(1)).toEqual([at(topic, '2')])
  })

  it('false commits nothing, whatever threshold and interval say', async () => {
    const topic = await bench.topicWith('a', 'b')
    const reading = await bench.read(topic, { autoCommit: false, autoCommitThreshold: 1, autoCommitInterval: 1 })
    await reading.values.until(2)
    await bench.write(topic, ['c'])
    await reading.values.until(3)
    expect(await bench.committedAtEnd(reading, topic)).toEqual(['-1'])
    expect(reading.commits.entries).toEqual([])
  })

  it('commits each partition', async () => {
    const topic = await bench.topic(2)
    await bench.write(topic, ['a', 'b'], 0)
    await bench.write(topic, ['c'], 1)
    const reading = await bench.read(topic)
    await reading.values.until(3)
    expect(await bench.committedAtEnd(reading, topic)).toEqual(['2', '1'])
  })

  it('commits what was handled when the handler fails', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    let failures = 0
    const reading = await bench.read(topic, {
      eachMessage: ({ message }) => {
        if (message.offset === '2' && failures++ === 0) throw new Error('not now')
      },
    })
    expect(await reading.commits.until(2)).toEqual([at(topic, '2'), at(topic, '3')])
  })

  it('commits what was handled when the consumer stops', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const gate = bench.gate()
    const reading = await bench.read(topic, { eachMessage: () => gate.passed })
    await reading.values.until(1)
    const stopped = reading.consumer.stop()
    gate.open()
    await stopped
    expect(await bench.committed(reading.groupId, topic)).toEqual(['1'])
    expect(reading.values.entries).toEqual(['a'])
  })

  it('commits a whole batch where eachBatch resolved nothing itself', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const reading = await bench.read(topic, { eachBatch: () => undefined })
    expect(await reading.commits.until(1)).toEqual([at(topic, '3')])
  })

  it('commits a whole batch where eachBatch resolved a part of it', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const reading = await bench.read(topic, { eachBatch: ({ resolveOffset }) => resolveOffset('1') })
    expect(await reading.commits.until(1)).toEqual([at(topic, '3')])
  })

  it('commits the resolved part alone where eachBatchAutoResolve is false, and the rest comes again', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const reading = await bench.read(topic, {
      eachBatchAutoResolve: false,
      eachBatch: ({ batch, resolveOffset }) => resolveOffset(batch.firstOffset() ?? ''),
    })
    const commits = await reading.commits.until(3)
    expect(commits).toEqual([at(topic, '1'), at(topic, '2'), at(topic, '3')])
    expect(reading.values.entries).toEqual(['a', 'b', 'c', 'b', 'c', 'c'])
  })

  it('commits nothing where eachBatchAutoResolve is false and nothing is resolved, and the batch comes again', async () => {
    const topic = await bench.topicWith('a', 'b')
    const reading = await bench.read(topic, { eachBatchAutoResolve: false, eachBatch: () => undefined })
    expect(await reading.values.until(4)).toEqual(['a', 'b', 'a', 'b'])
    expect(await bench.committedAtEnd(reading, topic)).toEqual(['-1'])
  })

  it('commits what eachBatch had resolved when it failed, and the rest comes again', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const reading = await bench.read(topic, {
      eachBatch: ({ batch, resolveOffset }) => {
        if (batch.firstOffset() !== '0') return
        resolveOffset('0')
        throw new Error('not now')
      },
    })
    expect(await reading.commits.until(2)).toEqual([at(topic, '1'), at(topic, '3')])
    expect(reading.values.entries).toEqual(['a', 'b', 'c', 'b', 'c'])
  })

  it('false goes on behind a batch all the same', async () => {
    const topic = await bench.topicWith('a', 'b')
    const reading = await bench.read(topic, { autoCommit: false, eachBatch: () => undefined })
    await reading.values.until(2)
    await bench.write(topic, ['c'])
    expect(await reading.values.until(3)).toEqual(['a', 'b', 'c'])
  })

  it('by threshold and interval is up to eachBatch, by commitOffsetsIfNecessary', async () => {
    const topic = await bench.topicWith('a', 'b', 'c')
    const seen: number[] = []
    const reading = await bench.read(topic, {
      autoCommitThreshold: 2,
      eachBatch: async ({ resolveOffset, commitOffsetsIfNecessary }) => {
        resolveOffset('0')
        await commitOffsetsIfNecessary()
        seen.push(reading.commits.entries.length)
        resolveOffset('1')
        await commitOffsetsIfNecessary()
        seen.push(reading.commits.entries.length)
      },
    })
    expect(await reading.commits.until(2)).toEqual([at(topic, '2'), at(topic, '3')])
    expect(seen).toEqual([0, 1])
  })

  it('by interval is up to eachBatch, by commitOffsetsIfNecessary', async () => {
    const topic = await bench.topicWith('a', 'b')
    const seen: kafkajs.TopicOffsets[][] = []
    const reading = await bench.read(topic, {
      autoCommitInterval: 5,
      eachBatch: async ({ resolveOffset, commitOffsetsIfNecessary }) => {
        resolveOffset('0')
        await elapsed(20)
        await commitOffsetsIfNecessary()
        seen.push(...reading.commits.entries)
      },
    })
    expect(await reading.commits.until(2)).toEqual([at(topic, '1'), at(topic, '2')])
    expect(seen).toEqual([at(topic, '1')])
  })

  it('by commitOffsetsIfNecessary is nothing where neither threshold nor interval is set', async () => {
    const topic = await bench.topicWith('a', 'b')
    const reading = await bench.read(topic, {
      eachBatch: async ({ resolveOffset, commitOffsetsIfNecessary }) => {
        resolveOffset('0')
        await commitOffsetsIfNecessary()
      },
    })
    expect(await reading.commits.until(1)).toEqual([at(topic, '2')])
  })

  it.each([true, false])('%s commits offsets that commitOffsetsIfNecessary is given', async (autoCommit) => {
    const topic = await bench.topicWith('a', 'b')
    const reading = await bench.read(topic, {
      autoCommit,
      eachBatch: ({ commitOffsetsIfNecessary }) => commitOffsetsIfNecessary({ topics: at(topic, '1') }),
    })
    expect(await reading.commits.until(1)).toEqual([at(topic, '1')])
    expect(await bench.committedAtEnd(reading, topic)).toEqual([autoCommit ? '2' : '1'])
  })

  it('shows eachBatch what is resolved and not committed', async () => {
    const topic = await bench.topicWith('a', 'b')
    const seen: unknown[] = []
    const reading = await bench.read(topic, {
      autoCommitThreshold: 1,
      eachBatch: async ({ resolveOffset, commitOffsetsIfNecessary, uncommittedOffsets }) => {
        seen.push(plainOffsets(uncommittedOffsets()))
        resolveOffset('0')
        seen.push(plainOffsets(uncommittedOffsets()))
        await commitOffsetsIfNecessary()
        seen.push(plainOffsets(uncommittedOffsets()))
      },
    })
    await reading.commits.until(2)
    expect(seen).toEqual([[], at(topic, '1'), []])
  })
})

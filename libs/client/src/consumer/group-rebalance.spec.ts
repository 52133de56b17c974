import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { TcpProxy, testRedisUrls, waitFor } from '@rivulet/testing'
import { deferred, Received, TestNamespace, values } from '../../spec-support/consumers.js'
import type { TopicPartitions } from '../types.js'
import type { Consumer } from './consumer.js'

let namespace: TestNamespace
let received: Received

beforeEach(async () => {
  namespace = await TestNamespace.open()
  received = new Received()
  await namespace.topic('orders', 4)
})
afterEach(() => namespace.close())

/** Resolves when the consumer has joined with so many partitions of `orders`; now, or after the next changes. */
function joinedWith(consumer: Consumer, count: number): Promise<number[]> {
  return new Promise((resolve) => {
    consumer.on('consumer.group_join', ({ payload }) => {
      const partitions = payload.memberAssignment['orders'] ?? []
      if (partitions.length === count) resolve(partitions)
    })
  })
}

async function produceToAll(prefix: string, count = 1): Promise<void> {
  await Promise.all([0, 1, 2, 3].map((p) => namespace.produce('orders', p, values(`${prefix}${p}`, count))))
}

describe('two consumers of a group', () => {
  it('share the partitions, and each message comes to one of them, whoever comes and goes', async () => {
    const [one, two] = [await namespace.member(), await namespace.member()]
    const halves = Promise.all([joinedWith(one, 2), joinedWith(two, 2)])
    await one.run({ eachMessage: received.take })
    let sent = 0
    const enough = new AbortController()
    const sending = (async () => {
      for (; !enough.signal.aborted; sent += 4) await produceToAll(`${sent}-`)
    })()
    await two.run({ eachMessage: received.take })
    const [ofOne, ofTwo] = await halves
    expect(new Set([...ofOne, ...ofTwo])).toEqual(new Set([0, 1, 2, 3]))
    const all = joinedWith(one, 4)
    await two.disconnect()
    await all
    enough.abort()
    await sending
    await received.count(sent)
    const seen = received.messages.map(({ partition, offset }) => `${partition}:${offset}`)
    expect(new Set(seen).size).toBe(sent)
    expect(seen).toHaveLength(sent)
  })

  it('pass over nothing that came while a partition moved, though nothing of it was committed', async () => {
    const busy = deferred()
    const one = await namespace.member({ autoOffsetReset: 'earliest' })
    await one.run({
      eachMessage: async (payload) => {
        await received.take(payload)
        await busy.promise
      },
    })
    // The one worker is busy with partition 0, and the records of the others wait behind it.
    await namespace.produce('orders', 0, values('first', 1))
    await received.count(1)
    await produceToAll('waiting')
    const two = await namespace.member({ autoOffsetReset: 'latest', onPartitionsAssigned: () => busy.resolve() })
    await two.run({ eachMessage: received.take })
    await received.count(5)
    expect(received.values.toSorted()).toEqual(['first-0', 'waiting0-0', 'waiting1-0', 'waiting2-0', 'waiting3-0'])
  })

  it('a message in hand may end before its partition moves, and is not handed out again', async () => {
    await produceToAll('a', 2)
    const one = await namespace.member()
    const begun = deferred()
    const finish = deferred()
    const order: string[] = []
    let taken = 0
    await one.run({
      partitionsConsumedConcurrently: 4,
      eachMessage: async ({ partition, message, signal }) => {
        order.push(`one:${partition}:${message.offset}`)
        signal.addEventListener('abort', () => {
          if (++taken === 2) finish.resolve()
        })
        if (order.length === 4) begun.resolve()
        await finish.promise
        if (signal.aborted) order.push(`one:${partition}:ends`)
      },
    })
    await begun.promise
    const two = await namespace.member()
    const half = joinedWith(two, 2)
    await two.run({
      eachMessage: async ({ partition, message }) => void order.push(`two:${partition}:${message.offset}`),
    })
    const moved = await half
    await waitFor(() => moved.every((p) => order.includes(`two:${p}:1`)), { what: 'the second messages' })
    for (const p of moved) {
      expect(order.filter((entry) => entry.includes(`:${p}:`))).toEqual([`one:${p}:0`, `one:${p}:ends`, `two:${p}:1`])
    }
  })

  it('a batch that is taken away: isStale, the signal and heartbeat tell, and what was resolved is committed', async () => {
    await produceToAll('a', 3)
    const one = await namespace.member()
    const begun = deferred()
    const told = new Map<number, unknown>()
    let calls = 0
    await one.run({
      partitionsConsumedConcurrently: 4,
      eachBatch: async ({ batch, resolveOffset, isStale, isRunning, heartbeat, signal }) => {
        await heartbeat()
        resolveOffset('0')
        if (++calls === 4) begun.resolve()
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve())
        })
        const refusal: unknown = await heartbeat().catch((error: unknown) => error)
        told.set(batch.partition, { refusal, stale: isStale(), running: isRunning() })
      },
    })
    await begun.promise
    const two = await namespace.member()
    const half = joinedWith(two, 2)
    await two.run({ eachMessage: received.take })
    const moved = await half
    await received.count(4)
    for (const p of moved) {
      expect(told.get(p)).toEqual({
        refusal: expect.objectContaining({ name: 'KafkaJSProtocolError', type: 'REBALANCE_IN_PROGRESS' }),
        stale: true,
        running: true,
      })
      expect(received.of(p)).toEqual([`a${p}-1`, `a${p}-2`])
    }
    expect(told.size).toBe(2)
  })

  it('a handler that throws REBALANCE_IN_PROGRESS back is no failure', async () => {
    await produceToAll('a', 2)
    const one = await namespace.member()
    let calls = 0
    const begun = deferred()
    const crashes: unknown[] = []
    one.on('consumer.crash', ({ payload }) => crashes.push(payload))
    await one.run({
      partitionsConsumedConcurrently: 4,
      eachMessage: async ({ heartbeat, signal }) => {
        if (++calls === 4) begun.resolve()
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        await heartbeat()
      },
    })
    await begun.promise
    const two = await namespace.member()
    await two.run({ eachMessage: received.take })
    await received.count(4)
    expect(crashes).toEqual([])
    expect(namespace.logged.filter(({ label }) => label === 'ERROR')).toEqual([])
    expect(calls).toBe(4)
  })

  it('pauses outlive rebalances', async () => {
    const one = await namespace.member()
    await one.run({ eachMessage: received.take })
    one.pause([{ topic: 'orders' }])
    const two = await namespace.member()
    const [half, again] = [joinedWith(one, 2), joinedWith(two, 2)]
    await two.run({ eachMessage: received.take })
    const kept = await half
    await again
    expect(one.paused()).toEqual([{ topic: 'orders', partitions: kept }])
    const all = joinedWith(one, 4)
    await two.disconnect()
    await all
    expect(one.paused()).toEqual([{ topic: 'orders', partitions: [0, 1, 2, 3] }])
  })
})

describe('the listeners of a consumer', () => {
  function listening(notes: string[], name: string) {
    const note = (what: string) => async (partitions: TopicPartitions[]) => {
      notes.push(`${name} ${what} ${partitions.flatMap((topic) => topic.partitions).join()}`)
    }
    return {
      onPartitionsAssigned: note('assigned'),
      onPartitionsRevoked: note('revoked'),
      onPartitionsLost: note('lost'),
    }
  }

  it('are told what comes and goes, and before it is anyone else’s', async () => {
    const notes: string[] = []
    const one = await namespace.member(listening(notes, 'one'))
    await one.run({ eachMessage: received.take })
    const two = await namespace.member(listening(notes, 'two'))
    await two.run({ eachMessage: received.take })
    await two.disconnect()
    await waitFor(() => notes.length === 5, { what: 'five notes' })
    const [, revoked = ''] = notes
    const moved = revoked.slice('one revoked '.length)
    expect(notes).toEqual([
      'one assigned 0,1,2,3',
      `one revoked ${moved}`,
      `two assigned ${moved}`,
      `two revoked ${moved}`,
      `one assigned ${moved}`,
    ])
  })

  it('onPartitionsAssigned is awaited before anything is handed out, and may seek', async () => {
    await produceToAll('a', 3)
    const notes: string[] = []
    const one = await namespace.member({
      onPartitionsAssigned: async (partitions) => {
        for (const { topic, partitions: numbers } of partitions) {
          for (const partition of numbers) one.seek({ topic, partition, offset: 2 })
        }
        await namespace.committed('g')
        notes.push('assigned')
      },
    })
    await one.run({ eachMessage: async (payload) => (notes.push('message'), received.take(payload)) })
    await received.count(4)
    expect(received.values.toSorted()).toEqual(['a0-2', 'a1-2', 'a2-2', 'a3-2'])
    expect(notes).toEqual(['assigned', 'message', 'message', 'message', 'message'])
  })

  it('onPartitionsRevoked can commit', async () => {
    const one = await namespace.member({
      onPartitionsRevoked: async (partitions) => {
        await one.commitOffsets(
          partitions.flatMap(({ topic, partitions: numbers }) =>
            numbers.map((partition) => ({ topic, partition, offset: '7' })),
          ),
        )
      },
    })
    await one.run({ autoCommit: false, eachMessage: received.take })
    const two = await namespace.member()
    const half = joinedWith(two, 2)
    await two.run({ eachMessage: received.take })
    const moved = await half
    expect(await namespace.committed('g')).toEqual(Object.fromEntries(moved.map((p) => [p, 7])))
  })

  it('what they throw crashes the consumer', async () => {
    let isFirst = true
    const one = await namespace.member({
      onPartitionsAssigned: () => {
        if (!isFirst) return
        isFirst = false
        throw new Error('no state for them')
      },
    })
    const crash = deferred<{ error: Error; restart: boolean }>()
    one.on('consumer.crash', ({ payload }) => crash.resolve(payload))
    await namespace.produce('orders', 0, ['a'])
    await one.run({ eachMessage: received.take })
    expect(await crash.promise).toMatchObject({ error: { message: 'no state for them' }, restart: true })
    await received.count(1)
  })
})

describe('a member whose session is over', () => {
  const short = { sessionTimeout: 400, heartbeatInterval: 50, rebalanceTimeout: 2000 }
  let proxy: TcpProxy

  beforeEach(async () => {
    const { hostname, port } = new URL(testRedisUrls()[0] ?? '')
    proxy = await TcpProxy.start({ host: hostname, port: Number(port) })
  })
  afterEach(async () => {
    proxy.thaw()
    await proxy.close()
  })

  /** A consumer that is cut off with offset 0 in hand, until another one has read everything. */
  async function expelled() {
    await namespace.produce('orders', 0, values('a', 3))
    const lost = deferred<{ partitions: TopicPartitions[]; isAborted: boolean | undefined }>()
    let signal: AbortSignal | undefined
    const options = {
      ...short,
      onPartitionsLost: (partitions: TopicPartitions[]) => lost.resolve({ partitions, isAborted: signal?.aborted }),
    }
    const one = await namespace.member(options, { urls: [proxy.url] })
    const begun = deferred()
    const finish = deferred()
    const offsets: string[] = []
    await one.run({
      eachMessage: async (payload) => {
        offsets.push(payload.message.offset)
        signal = payload.signal
        begun.resolve()
        await finish.promise
      },
    })
    await begun.promise
    proxy.freeze()
    const two = await namespace.member(short)
    await two.run({ eachMessage: received.take })
    await received.count(3)
    return { offsets, finish, lost: lost.promise, two }
  }

  it('hands out nothing further, and its late commits are refused', async () => {
    const { offsets, finish, lost, two } = await expelled()
    finish.resolve()
    proxy.thaw()
    await lost
    expect(offsets).toEqual(['0'])
    expect(received.values).toEqual(['a-0', 'a-1', 'a-2'])
    await two.stop()
    expect(await namespace.committed('g')).toEqual({ 0: 3 })
  })

  it('is told of the loss, and so is what it has in hand', async () => {
    const { finish, lost } = await expelled()
    proxy.thaw()
    expect(await lost).toEqual({ partitions: [{ topic: 'orders', partitions: [0, 1, 2, 3] }], isAborted: true })
    finish.resolve()
  })
})

import { describe, expect, it } from '@jest/globals'
import type { StoredBatch } from '@rivulet/storage'
import fc from 'fast-check'
import { BufferBudget } from './buffer-budget.js'
import { PartitionBuffer } from './partition-buffer.js'
import { PausedPartitions } from './paused-partitions.js'
import { type Assignment, SubscriptionState } from './subscription-state.js'

const assignment = (partition: number, offset?: number): Assignment => ({
  topic: 't',
  partition,
  policy: 'earliest',
  ...(offset === undefined ? {} : { start: { kind: 'offset', offset } }),
})
const batch = (baseOffset: number, length = 100): StoredBatch => ({
  bytes: Buffer.alloc(length),
  baseOffset,
  endOffset: baseOffset + 1,
  leaderEpoch: { number: 0, replicationId: 'aaaaaaaa' },
  appendTime: -1,
})

function running(...partitions: number[]): SubscriptionState {
  const state = new SubscriptionState(new BufferBudget(10_000))
  state.replace(partitions.map((partition) => assignment(partition)))
  for (const partition of state.partitions) {
    partition.setLog({ topic: 't', topicId: 'id', partition: partition.partition, shard: 0 })
    partition.positionAt(0, [])
  }
  return state
}

describe('the subscription state', () => {
  it('keeps what stays assigned, and forgets what does not', () => {
    const state = running(0, 1)
    const [zero, one] = [state.get('t', 0), state.get('t', 1)]
    one?.resolve(5)
    state.replace([assignment(1), assignment(2)])
    expect(state.get('t', 0)).toBeUndefined()
    expect(zero?.generation).toBe(1)
    expect(state.get('t', 1)).toBe(one)
    expect(one?.position).toBe(5)
    expect(state.get('t', 2)?.start).toEqual({ kind: 'reset' })
  })

  it('restarts a partition that stays where an offset is given', () => {
    const state = running(0)
    state.replace([assignment(0, 7)])
    expect(state.get('t', 0)).toMatchObject({ generation: 1, start: { kind: 'offset', offset: 7 } })
  })

  it('drops and assigns a few at a time, as a group does', () => {
    const state = running(0, 1)
    state.drop(state.partitions.filter(({ partition }) => partition === 0))
    state.assign([assignment(3)])
    expect(state.partitions.map(({ partition }) => partition)).toEqual([1, 3])
  })

  it('a pause gives up what is buffered, a batch in hand goes on', () => {
    const state = running(0)
    const partition = state.get('t', 0)
    if (partition === undefined) throw new Error('not assigned')
    for (let i = 0; i < 4; i++) partition.buffer.push(batch(i))
    partition.fetchOffset = 4
    partition.buffer.take()
    partition.inHandEnd = 1
    state.pause([{ topic: 't' }])
    expect(partition).toMatchObject({ generation: 0, fetchOffset: 1, position: 0, inHandEnd: 1 })
    expect(partition.buffer.isEmpty).toBe(true)
    expect(partition.buffer.bytes).toBe(100)
  })

  it('knows what was resolved and not committed, in kafkajs’s shape', () => {
    const state = running(0, 1)
    state.get('t', 0)?.resolve(4)
    state.get('t', 1)?.resolve(9)
    state.get('t', 0)?.committed(4)
    expect(state.uncommittedOffsets()).toEqual([{ topic: 't', partitions: [{ partition: 1, offset: '9' }] }])
    state.get('t', 1)?.committed(8)
    expect(state.uncommittedOffsets()).toEqual([{ topic: 't', partitions: [{ partition: 1, offset: '9' }] }])
    state.get('t', 1)?.startFrom({ kind: 'earliest' })
    expect(state.uncommittedOffsets()).toEqual([])
  })

  it('after a run goes back to what was resolved, and a stuck handler no longer counts', () => {
    const state = running(0)
    const partition = state.get('t', 0)
    if (partition === undefined) throw new Error('not assigned')
    partition.buffer.push(batch(0))
    partition.fetchOffset = 1
    state.abandonWork()
    expect(partition).toMatchObject({ fetchOffset: 0, position: 0, inHandEnd: -1 })
    expect(partition.generation).toBeGreaterThan(0)
    expect(partition.buffer.bytes).toBe(0)
  })
})

describe('pauses', () => {
  it('of partitions and topics add up as a plain model of them', () => {
    const partitions = fc.option(fc.uniqueArray(fc.nat(3)), { nil: undefined })
    fc.assert(
      fc.property(fc.array(fc.record({ verb: fc.constantFrom('pause', 'resume'), partitions })), (steps) => {
        const pauses = new PausedPartitions()
        const model = new Set<number>()
        for (const { verb, partitions: given } of steps) {
          const request = given === undefined ? { topic: 't' } : { topic: 't', partitions: given }
          if (verb === 'pause') pauses.pause([request])
          else pauses.resume([request])
          for (const partition of given ?? [0, 1, 2, 3]) {
            if (verb === 'pause') model.add(partition)
            else model.delete(partition)
          }
          expect([0, 1, 2, 3].filter((partition) => pauses.has('t', partition))).toEqual(
            [...model].sort((a, b) => a - b),
          )
          expect(pauses.has('other', 0)).toBe(false)
        }
      }),
    )
  })
})

describe('a partition buffer', () => {
  it('gives batches back in order and accounts for every byte, whatever happens to it', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('push' as const), length: fc.nat(500) }),
      fc.record({ kind: fc.constantFrom('take', 'release', 'clear') }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const budget = new BufferBudget(1000)
        const buffer = new PartitionBuffer(budget)
        const queue: StoredBatch[] = []
        let inHand = 0
        let inOrder = true
        for (const [i, action] of steps.entries()) {
          if (action.kind === 'push') {
            const next = batch(i, 'length' in action ? action.length : 0)
            buffer.push(next)
            queue.push(next)
          } else if (action.kind === 'take') {
            const taken = buffer.take()
            inOrder &&= taken === queue.shift()
            inHand += taken?.bytes.length ?? 0
          } else if (action.kind === 'release') {
            buffer.releaseInHand(inHand)
            inHand = 0
          } else {
            buffer.clear()
            queue.length = 0
          }
          expect(inOrder).toBe(true)
          expect(buffer.isEmpty).toBe(queue.length === 0)
          expect(budget.used).toBe(queue.reduce((sum, { bytes }) => sum + bytes.length, inHand))
          expect(buffer.bytes).toBe(budget.used)
        }
      }),
    )
  })

  it('once full has room again when half of it is free', () => {
    const buffer = new PartitionBuffer(new BufferBudget(10_000))
    for (let i = 0; i < 4; i++) buffer.push(batch(i, 100))
    expect(buffer.hasRoom(400)).toBe(false)
    buffer.take()
    buffer.releaseInHand(100)
    expect(buffer.hasRoom(400)).toBe(false)
    buffer.take()
    buffer.releaseInHand(100)
    expect(buffer.hasRoom(400)).toBe(true)
  })
})

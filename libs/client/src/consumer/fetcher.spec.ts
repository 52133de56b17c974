import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { KafkaError } from '@rivulet/protocol'
import type { LogReader } from '@rivulet/storage'
import { waitFor } from '@rivulet/testing'
import { deferred } from '../../spec-support/consumers.js'
import { ScriptedLog } from '../../spec-support/scripted-log.js'
import { Instrumentation } from '../instrumentation.js'
import { createLogger } from '../logger.js'
import { retrySettings } from '../retry.js'
import { logLevel } from '../types.js'
import type { AssignedPartition } from './assigned-partition.js'
import { BufferBudget } from './buffer-budget.js'
import { RIVULET_CONSUMER_EVENTS } from './consumer-events.js'
import { Fetcher } from './fetcher.js'
import { SubscriptionState } from './subscription-state.js'

let log: ScriptedLog
let budget: BufferBudget
let subscription: SubscriptionState
let fetcher: Fetcher | null
let crashes: Error[]

beforeEach(() => {
  crashes = []
  fetcher = null
})
afterEach(() => fetcher?.stop())

function setUp({
  partitions = 1,
  maxBytes = 10_000,
  maxBytesPerPartition = 1000,
  maxWaitTimeInMs = 60_000,
  minBytes = 1,
  onRecords = (): void => undefined,
} = {}): void {
  log = new ScriptedLog(partitions)
  budget = new BufferBudget(maxBytes)
  subscription = new SubscriptionState(budget)
  subscription.replace(
    log.partitions.map(({ partition }) => ({ topic: 't', partition, policy: 'earliest', start: { kind: 'earliest' } })),
  )
  start({ maxBytesPerPartition, maxWaitTimeInMs, minBytes, onRecords })
}

function start({
  maxBytesPerPartition,
  maxWaitTimeInMs,
  minBytes,
  onRecords,
}: {
  maxBytesPerPartition: number
  maxWaitTimeInMs: number
  minBytes: number
  onRecords: () => void
}): void {
  const logger = createLogger({ level: logLevel.NOTHING })
  fetcher = new Fetcher({
    reader: log,
    topics: log.topics,
    log: log.bounds,
    subscription,
    budget,
    maxBytesPerPartition,
    minBytes,
    maxWaitTimeInMs,
    retry: retrySettings(),
    clientId: 'spec',
    instrumentation: new Instrumentation('consumer', RIVULET_CONSUMER_EVENTS, logger),
    logger,
    onRecords,
    onCrash: (error) => void crashes.push(error),
  })
}

function partition(number: number): AssignedPartition {
  const found = subscription.get('t', number)
  if (found === undefined) throw new Error(`${number} is not assigned`)
  return found
}

/** As a handler does: takes all that is buffered, and is done with it. */
function consume(number: number): number {
  const assigned = partition(number)
  let bytes = 0
  for (let batch = assigned.buffer.take(); batch !== undefined; batch = assigned.buffer.take()) {
    assigned.resolve(batch.endOffset)
    bytes += batch.bytes.length
  }
  assigned.buffer.releaseInHand(bytes)
  fetcher?.drained(assigned)
  return bytes
}

const waits = () => log.calls.filter(({ kind }) => kind === 'wait')
const untilWaiting = (count = 1) => waitFor(() => waits().length >= count, { what: `${count} waits` })
const untilBuffered = (number: number, offset: number) =>
  waitFor(() => partition(number).fetchOffset === offset, { what: `partition ${number} to be fetched up to ${offset}` })

describe('a fetcher', () => {
  it('fetches all while any is behind, waits for all when none is, and fetches alone what a wait has woken', async () => {
    setUp({ partitions: 3 })
    await untilWaiting()
    expect(log.calls.map(({ kind, offsets }) => [kind, Object.keys(offsets).length])).toEqual([
      ['fetch', 3],
      ['wait', 3],
    ])
    log.append(1)
    await untilWaiting(2)
    expect(log.calls.slice(2).map(({ kind, offsets }) => [kind, offsets])).toEqual([
      ['fetch', { 1: 1 }],
      ['wait', { 0: 0, 1: 1, 2: 0 }],
    ])
  })

  it('leaves a full partition out of the wait, and takes it in when half of it is handled', async () => {
    setUp({ partitions: 2, maxBytesPerPartition: 300 })
    for (let i = 0; i < 20; i++) log.append(0, 1, 50)
    await waitFor(() => waits().some(({ offsets }) => !('0' in offsets)), { what: 'a wait without the full partition' })
    expect(partition(0).buffer.bytes).toBeGreaterThanOrEqual(300)
    const before = partition(0).fetchOffset
    consume(0)
    await waitFor(() => partition(0).fetchOffset > before, { what: 'more to be fetched' })
  })

  it('goes on where room is made while it hands out what there is, because there is no room for more', async () => {
    setUp({ maxBytesPerPartition: 300, minBytes: 1000, onRecords: () => void consume(0) })
    await untilWaiting()
    log.append(0, 1, 300)
    await waitFor(() => partition(0).position === 1, { what: 'the batch to be handed out' })
    log.append(0, 1, 300)
    await untilBuffered(0, 2)
    expect(crashes).toEqual([])
  })

  it('drops the result of a fetch that a seek has overtaken', async () => {
    setUp()
    for (let i = 0; i < 5; i++) log.append(0)
    const gate = deferred()
    log.gate = gate.promise
    await waitFor(() => log.calls.length === 1, { what: 'the first fetch' })
    subscription.seek('t', 0, { kind: 'offset', offset: 4 })
    log.gate = Promise.resolve()
    gate.resolve()
    fetcher?.wake()
    await untilBuffered(0, 5)
    expect(partition(0).position).toBe(4)
    expect(partition(0).buffer.take()?.baseOffset).toBe(4)
    expect(partition(0).buffer.isEmpty).toBe(true)
  })

  it('drops the result of a fetch that pause and resume have overtaken, and leaves no gap', async () => {
    setUp({ maxBytesPerPartition: 300 })
    for (let i = 0; i < 10; i++) log.append(0, 1, 50)
    await waitFor(() => partition(0).fetchOffset > 1, { what: 'the buffer to be full' })
    const gate = deferred()
    log.gate = gate.promise
    const calls = log.calls.length
    const { buffer } = partition(0)
    const taken = buffer.take()
    partition(0).resolve(1)
    buffer.releaseInHand(taken?.bytes.length ?? 0)
    while (log.calls.length === calls) {
      expect(partition(0).buffer.isEmpty).toBe(false)
      fetcher?.drained(partition(0))
      await new Promise((resolve) => setImmediate(resolve))
      if (log.calls.length === calls) buffer.releaseInHand(buffer.take()?.bytes.length ?? 0)
    }
    subscription.pause([{ topic: 't' }])
    expect(partition(0).fetchOffset).toBe(1)
    subscription.resume([{ topic: 't' }])
    log.gate = Promise.resolve()
    gate.resolve()
    fetcher?.wake()
    await waitFor(() => !partition(0).buffer.isEmpty, { what: 'records' })
    expect(partition(0).buffer.take()?.baseOffset).toBe(1)
  })

  it('holds no more than maxBytes and a batch a partition', async () => {
    setUp({ partitions: 8, maxBytes: 2000, maxBytesPerPartition: 1000 })
    for (let i = 0; i < 20; i++) for (const { partition: p } of log.partitions) log.append(p, 1, 400)
    const batch = 480
    let most = 0
    let handled = 0
    while (handled < 160) {
      await new Promise((resolve) => setImmediate(resolve))
      most = Math.max(most, budget.used)
      const next = subscription.partitions.find(({ buffer }) => !buffer.isEmpty)
      if (next === undefined) continue
      handled += next.fetchOffset - next.position
      consume(next.partition)
    }
    expect(most).toBeLessThanOrEqual(2000 + 8 * batch)
    expect(budget.used).toBe(0)
  })

  it('gives a partition that has nothing a batch, whatever the others hold', async () => {
    setUp({ partitions: 2, maxBytes: 500, maxBytesPerPartition: 1000 })
    for (let i = 0; i < 5; i++) log.append(0, 1, 400)
    await waitFor(() => budget.available <= 0, { what: 'the budget to be used up' })
    log.append(1, 1, 10)
    await untilBuffered(1, 1)
    expect(budget.available).toBeLessThanOrEqual(0)
  })

  it('checks the position before it takes a batch of another leader epoch', async () => {
    setUp()
    log.append(0)
    await untilBuffered(0, 1)
    log.epoch = { number: 1, replicationId: 'bbbbbbbb' }
    log.append(0)
    await untilBuffered(0, 2)
    expect(log.validated).toEqual([
      { partition: 0, offset: 1, epochs: [{ number: 0, replicationId: 'aaaaaaaa', startOffset: 0 }] },
    ])
    expect(partition(0).epochs.map(({ number, startOffset }) => [number, startOffset])).toEqual([
      [0, 0],
      [1, 1],
    ])
  })

  it('takes nothing of a leader epoch that the server asked does not know, and asks again', async () => {
    setUp()
    log.append(0)
    await untilBuffered(0, 1)
    const validate = log.validate.bind(log)
    const asked: unknown[] = []
    log.validate = async (...args: Parameters<LogReader['validate']>) => {
      asked.push(args[3]?.number)
      if (asked.length === 1) throw new KafkaError('UNKNOWN_LEADER_EPOCH')
      return validate(args[0], args[1], args[2])
    }
    log.epoch = { number: 1, replicationId: 'bbbbbbbb' }
    log.append(0)
    await waitFor(() => asked.length > 0, { what: 'a check' })
    expect(partition(0).fetchOffset).toBe(1)
    await untilBuffered(0, 2)
    // In doubt still, without a batch that says why; then the batch, which is there yet.
    expect(asked).toEqual([1, undefined, 1])
    expect(crashes).toEqual([])
  })

  it('checks every position after a reconnect, and takes nothing before', async () => {
    setUp({ partitions: 2 })
    await untilWaiting()
    const verdict = deferred()
    const validate = log.validate.bind(log)
    log.validate = async (...args) => {
      await verdict.promise
      return validate(...args)
    }
    log.reconnect()
    log.append(0)
    await new Promise((resolve) => setImmediate(resolve))
    expect(partition(0).buffer.isEmpty).toBe(true)
    verdict.resolve()
    await untilBuffered(0, 1)
    expect(log.validated.map(({ partition: p }) => p).sort((a, b) => a - b)).toEqual([0, 1])
  })

  it('goes back to where the logs part when a tail was lost', async () => {
    setUp()
    for (let i = 0; i < 5; i++) log.append(0)
    await untilBuffered(0, 5)
    consume(0)
    log.verdict = (offset) => (offset > 3 ? { kind: 'truncated', divergence: 3 } : { kind: 'valid' })
    log.reconnect()
    await waitFor(() => partition(0).position === 3, { what: 'the position to go back' })
    await untilBuffered(0, 5)
    expect(partition(0).buffer.take()?.baseOffset).toBe(3)
  })

  it('fetches a silent position once it was checked: what it waited on may be a segment that is gone', async () => {
    // 1. a wait ends; 2. another client rolls the segment and retention drops it; 3. the next wait is for a stream that
    // nothing will ever be added to.
    setUp({ maxWaitTimeInMs: 50 })
    await untilWaiting()
    let waitedInVain = 0
    log.wait = () => {
      waitedInVain++
      return new Promise((resolve) => setTimeout(() => resolve([]), 50))
    }
    log.interrupt()
    await waitFor(() => waitedInVain > 0, { what: 'a wait for the segment that is gone' })
    log.append(0)
    await untilBuffered(0, 1)
    expect(partition(0).buffer.take()?.baseOffset).toBe(0)
    expect(crashes).toEqual([])
  })

  it('waits on, without a fetch, where a silent position was found to be at the end of the segment waited on', async () => {
    setUp({ maxWaitTimeInMs: 50 })
    await untilWaiting()
    const segment = partition(0).segment ?? NaN
    log.verdict = (offset) => ({ kind: 'valid', end: { offset, segment } })
    const before = log.calls.filter(({ kind }) => kind === 'fetch').length
    await waitFor(() => log.validated.length > 2, { what: 'checks' })
    expect(log.calls.filter(({ kind }) => kind === 'fetch')).toHaveLength(before)
  })

  it('checks silent positions as often as a wait may last', async () => {
    setUp({ maxWaitTimeInMs: 50 })
    await waitFor(() => log.validated.length > 0, { what: 'a check' })
    expect(crashes).toEqual([])
  })
})

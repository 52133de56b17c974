import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { RedisGroupStore } from '@rivulet/coordinator'
import { waitFor } from '@rivulet/testing'
import { deferred, Received, TestNamespace, values } from '../../spec-support/consumers.js'

let namespace: TestNamespace
let received: Received

beforeEach(async () => {
  namespace = await TestNamespace.open()
  received = new Received()
  await namespace.topic('orders')
})
afterEach(() => namespace.close())

/** Makes the group forget to whom it has given its partitions, as a failover does to a replica that was behind. */
async function loseOwners(): Promise<void> {
  const { backend } = namespace.storage
  const [group] = await Promise.all(
    backend.keyspace.tags.map(async (_, shard) => {
      const { owners } = Object.fromEntries(
        backend.keyspace.group('g', shard).all.map((key) => [key.slice(key.lastIndexOf(':') + 1), key]),
      )
      if (owners === undefined) throw new Error('there is no key of owners')
      const context = { operation: 'spec' }
      const partitions = await backend.connection.command((client) => client.hkeys(owners), context)
      const given = partitions.filter((partition) => partition !== '')
      if (given.length === 0) return null
      await backend.connection.command((client) => client.hdel(owners, ...given), context)
      return owners
    }),
  ).then((changed) => changed.filter((key) => key !== null))
  if (group === undefined) throw new Error('nobody owns anything')
}

it('a partition whose commit is refused is read on from what is committed, when it is the member’s after all', async () => {
  const consumer = await namespace.member()
  await consumer.run({ eachMessage: received.take })
  await namespace.produce('orders', 0, values('a', 2))
  await waitFor(async () => (await namespace.committed('g'))[0] === 2, { what: 'the first commit' })
  await loseOwners()
  await namespace.produce('orders', 0, values('b', 2))
  await waitFor(async () => (await namespace.committed('g'))[0] === 4, { what: 'the second commit' })
  expect(received.values).toEqual(['a-0', 'a-1', 'b-0', 'b-1', 'b-0', 'b-1'])
  await namespace.produce('orders', 0, values('c', 1))
  await received.count(7)
})

it('a handler that outlives its partition commits nothing that others have gone past', async () => {
  await namespace.produce('orders', 0, values('a', 5))
  const consumer = await namespace.member({ heartbeatInterval: 50 })
  const store = new RedisGroupStore(namespace.storage)
  const outcome = deferred<unknown>()
  const hold = deferred()
  let calls = 0
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: 2,
    eachMessage: async ({ topic, partition, message }) => {
      const commit = [{ topic, partition, offset: String(Number(message.offset) + 1) }]
      if (calls++ > 0) return consumer.commitOffsets(commit)
      await hold.promise
      await consumer.commitOffsets(commit).then(outcome.resolve, outcome.resolve)
    },
  })
  await waitFor(() => calls === 1, { what: 'the first handler' })
  // As when the session is over: what it owned is free, and here it is given to the same consumer again.
  const [memberId = ''] = (await store.snapshot('g'))?.members.keys() ?? []
  await store.leave('g', memberId)
  await waitFor(async () => (await namespace.committed('g'))[0] === 5, { what: 'the second handler' })
  hold.resolve()
  expect(await outcome.promise).toMatchObject({ cause: { type: 'ILLEGAL_GENERATION' } })
  expect(await namespace.committed('g')).toEqual({ 0: 5 })
})

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { deferred, Received, TestNamespace, values } from '../../spec-support/consumers.js'

let namespace: TestNamespace
let received: Received

beforeEach(async () => {
  namespace = await TestNamespace.open()
  received = new Received()
})
afterEach(() => namespace.close())

describe('a consumer with an assignment', () => {
  it('hands out what is there and what comes, in order', async () => {
    await namespace.topic('orders')
    await namespace.produce('orders', 0, values('a', 3))
    const consumer = namespace.consumer()
    await consumer.connect()
    consumer.assign([{ topic: 'orders', partition: 0 }])
    await consumer.run({ eachMessage: received.take })
    await received.count(3)
    await namespace.produce('orders', 0, values('b', 2))
    await received.count(5)
    expect(received.values).toEqual(['a-0', 'a-1', 'a-2', 'b-0', 'b-1'])
    expect(received.offsets).toEqual(['0', '1', '2', '3', '4'])
  })
})

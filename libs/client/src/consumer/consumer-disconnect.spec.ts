import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { TcpProxy, testRedisUrls } from '@rivulet/testing'
import { deferred, Received, TestNamespace, values } from '../../spec-support/consumers.js'

let namespace: TestNamespace
let received: Received
let proxy: TcpProxy

beforeEach(async () => {
  namespace = await TestNamespace.open()
  received = new Received()
  await namespace.topic('orders')
  await namespace.produce('orders', 0, values('a', 3))
  const { hostname, port } = new URL(testRedisUrls()[0] ?? '')
  proxy = await TcpProxy.start({ host: hostname, port: Number(port) })
})
afterEach(async () => {
  proxy.thaw()
  await proxy.close()
  await namespace.close()
})

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

describe('disconnect resolves within a second', () => {
  it('while the consumer waits at the end of the log', async () => {
    const consumer = namespace.consumer({ maxWaitTimeInMs: 60_000 })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    await consumer.run({ eachMessage: received.take })
    await received.count(3)
    expect(await timed(() => consumer.disconnect())).toBeLessThan(1000)
  })

  it('while a handler is stuck; what it had is handed out again, and its late end changes nothing', async () => {
    const consumer = namespace.consumer()
    consumer.assign([{ topic: 'orders', partition: 0 }])
    const begun = deferred()
    const stuck = deferred()
    await consumer.run({
      eachMessage: async () => {
        begun.resolve()
        await stuck.promise
      },
    })
    await begun.promise
    expect(await timed(() => consumer.disconnect())).toBeLessThan(1100)
    await consumer.closed
    await consumer.connect()
    await consumer.run({ eachMessage: received.take })
    await received.count(3)
    stuck.resolve()
    await consumer.stop()
    await namespace.produce('orders', 0, ['b'])
    await consumer.run({ eachMessage: received.take })
    await received.count(4)
    expect(received.offsets).toEqual(['0', '1', '2', '3'])
  })

  it('while the server is frozen', async () => {
    const consumer = namespace.consumer({}, { urls: [proxy.url] })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    await consumer.run({ eachMessage: received.take })
    await received.count(3)
    proxy.freeze()
    expect(await timed(() => consumer.disconnect())).toBeLessThan(1100)
  })

  it('while the consumer connects to a server that does not answer', async () => {
    proxy.freeze()
    const consumer = namespace.consumer({}, { urls: [proxy.url] })
    const connecting = consumer.connect().catch((error: unknown) => error)
    expect(await timed(() => consumer.disconnect())).toBeLessThan(1100)
    expect(await connecting).toMatchObject({ name: 'KafkaJSNonRetriableError' })
  })

  it('before anything was connected, and twice', async () => {
    const consumer = namespace.consumer()
    await consumer.disconnect()
    expect(
      await timed(async () => void (await Promise.all([consumer.disconnect(), consumer.disconnect()]))),
    ).toBeLessThan(1000)
  })
})

describe('a lost connection', () => {
  it('comes back, and nothing is skipped or handed out twice', async () => {
    const consumer = namespace.consumer({}, { urls: [proxy.url] })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    await consumer.run({ eachMessage: received.take })
    await received.count(3)
    for (let i = 0; i < 5; i++) {
      proxy.cut()
      await namespace.produce('orders', 0, [`b-${i}`])
      await received.count(4 + i)
    }
    expect(received.values).toEqual([...values('a', 3), ...values('b', 5)])
  })

  it('that stays lost crashes the consumer; it starts again, however often, until the server is back', async () => {
    const impatient = await TestNamespace.open({ requestTimeout: 200, urls: [proxy.url] })
    await impatient.topic('orders')
    await impatient.produce('orders', 0, ['a'])
    const consumer = impatient.consumer({ retry: { retries: 1 } })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    const crashes: boolean[] = []
    const crashedTwice = new Promise<void>((resolve) => {
      consumer.on('consumer.crash', ({ payload }) => {
        if (crashes.push(payload.restart) === 2) resolve()
      })
    })
    await consumer.run({ eachMessage: received.take })
    await received.count(1)
    await proxy.refuse()
    proxy.cut()
    await crashedTwice
    await proxy.accept()
    await impatient.produce('orders', 0, ['b'])
    await received.count(2)
    expect(received.values).toEqual(['a', 'b'])
    expect(new Set(crashes)).toEqual(new Set([true]))
    await impatient.close()
  })
})

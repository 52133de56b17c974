/**
 * The official images of every server that is supported, started by testcontainers: what is promised of a server is
 * promised of each of them. Runs where RIVULET_TEST_DOCKER=1 says that there is a Docker engine.
 */
import { afterAll, describe, expect, it } from '@jest/globals'
import { Kafka, logLevel } from '@rivulet/client'
import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers'

const IMAGES = [
  ['redis:7.0', 'redis-server'],
  ['redis:8.0', 'redis-server'],
  ['valkey/valkey:8.1', 'valkey-server'],
] as const

const enabled = process.env['RIVULET_TEST_DOCKER'] === '1'
if (!enabled) process.stderr.write('NOT TESTED: official images in Docker (set RIVULET_TEST_DOCKER=1)\n')
const describeInDocker = enabled ? describe : describe.skip

describeInDocker('in Docker', () => {
  const containers: StartedTestContainer[] = []
  afterAll(() => Promise.all(containers.map((container) => container.stop())))

  it.each(IMAGES)(
    '%s takes records and gives them back in order',
    async (image, server) => {
      const container = await new GenericContainer(image)
        .withCommand([server, '--protected-mode', 'no'])
        .withExposedPorts(6379)
        .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
        .start()
      containers.push(container)
      const values = Array.from({ length: 500 }, (_, i) => `value ${i}`)

      const broker = `${container.getHost()}:${container.getMappedPort(6379)}`
      const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING })
      const producer = kafka.producer()
      await producer.connect()
      await Promise.all(values.map((value) => producer.send({ topic: 'orders', messages: [{ key: 'k', value }] })))
      await producer.disconnect()
      expect(await readAll(kafka, values.length)).toEqual(values)
    },
    120_000,
  )
})

async function readAll(kafka: Kafka, count: number): Promise<string[]> {
  const consumer = kafka.consumer()
  await consumer.connect()
  consumer.assign([{ topic: 'orders', partition: 0, offset: 0 }])
  const values: string[] = []
  try {
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
      void consumer.run({
        eachMessage: ({ message }) => {
          values.push(String(message.value))
          if (values.length === count) resolve()
          return Promise.resolve()
        },
      })
    })
  } finally {
    await consumer.disconnect()
  }
  return values
}

import { expect, it } from '@jest/globals'
import { describeOnBoth } from './describe-on-both.js'
import { failureOf } from './support/calls.js'
import { Workbench } from './support/workbench.js'

describeOnBoth('errors', (target) => {
  const bench = new Workbench(target)
  const { KafkaJSError, KafkaJSNonRetriableError, KafkaJSProtocolError } = target.library

  it('are of the classes that the program imports', async () => {
    const wrong = await failureOf(() => bench.producer.send({ topic: '', messages: [] }))
    const topic = await bench.topic(1, { 'max.message.bytes': '100' })
    const refused = await failureOf(() => bench.producer.send({ topic, messages: [{ value: Buffer.alloc(1000) }] }))
    expect([wrong instanceof KafkaJSNonRetriableError, wrong instanceof KafkaJSError]).toEqual([true, true])
    expect([refused instanceof KafkaJSProtocolError, refused instanceof KafkaJSNonRetriableError]).toEqual([
      true,
      false,
    ])
  })

  it('can be retried unless they say otherwise', () => {
    expect(new KafkaJSError('x')).toMatchObject({ name: 'KafkaJSError', message: 'x', retriable: true })
    expect(new KafkaJSError('x', { retriable: false })).toMatchObject({ retriable: false })
    expect(new KafkaJSNonRetriableError('x')).toMatchObject({ name: 'KafkaJSNonRetriableError', retriable: false })
  })

  it('take over the message of what they are made from', () => {
    const error = new KafkaJSNonRetriableError(new TypeError('x is not a function'))
    expect(error).toMatchObject({ name: 'KafkaJSNonRetriableError', message: 'x is not a function' })
  })
})

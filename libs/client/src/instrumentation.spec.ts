import { describe, expect, it } from '@jest/globals'
import kafkajs from 'kafkajs'
import { KafkaJSNonRetriableError } from './errors.js'
import { ADMIN_EVENTS, CONSUMER_EVENTS, Instrumentation, PRODUCER_EVENTS } from './instrumentation.js'
import { createLogger } from './logger.js'
import type { AdminEventPayloads, LogEntry } from './types.js'

const create = () => {
  const entries: LogEntry[] = []
  const logger = createLogger({ logCreator: () => (entry) => entries.push(entry) })
  return { entries, instrumentation: new Instrumentation<AdminEventPayloads>('admin', ADMIN_EVENTS, logger) }
}

describe('Instrumentation', () => {
  it('has the event names of kafkajs', () => {
    const kafka = new kafkajs.Kafka({ brokers: ['localhost:1'] })
    expect(ADMIN_EVENTS).toEqual(kafka.admin().events)
    expect(CONSUMER_EVENTS).toEqual(kafka.consumer({ groupId: 'g' }).events)
    process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1'
    expect(PRODUCER_EVENTS).toEqual(kafka.producer().events)
  })

  it('tells listeners in an envelope with a growing number', () => {
    const { instrumentation } = create()
    const events: unknown[] = []
    instrumentation.on('admin.connect', (event) => events.push(event))
    instrumentation.on('admin.network.request_queue_size', (event) => events.push(event))
    instrumentation.emit('admin.connect', null)
    instrumentation.emit('admin.network.request_queue_size', { broker: 'a:1', clientId: 'c', queueSize: 2 })
    expect(events).toEqual([
      { id: expect.any(Number), type: 'admin.connect', timestamp: expect.any(Number) },
      {
        id: expect.any(Number),
        type: 'admin.network.request_queue_size',
        timestamp: expect.any(Number),
        payload: { broker: 'a:1', clientId: 'c', queueSize: 2 },
      },
    ])
  })

  it('gives a function that takes the listener away, and only that one', () => {
    const { instrumentation } = create()
    const heard: string[] = []
    const remove = instrumentation.on('admin.connect', () => heard.push('a'))
    instrumentation.on('admin.connect', () => heard.push('b'))
    remove()
    remove()
    instrumentation.emit('admin.connect', null)
    expect(heard).toEqual(['b'])
    expect(instrumentation.hasListeners('admin.connect')).toBe(true)
    expect(instrumentation.hasListeners('admin.disconnect')).toBe(false)
  })

  it('refuses a name that is not an event, in the words of kafkajs', () => {
    const kafka = new kafkajs.Kafka({ brokers: ['localhost:1'] })
    const refusal = (target: object): unknown => {
      const on: unknown = Reflect.get(target, 'on')
      if (typeof on !== 'function') throw new TypeError('There is no on()')
      try {
        return Reflect.apply(on, target, ['admin.connekt', () => undefined])
      } catch (error) {
        return error
      }
    }
    const ours = refusal(create().instrumentation)
    expect(ours).toBeInstanceOf(KafkaJSNonRetriableError)
    expect(String(ours)).toBe(String(refusal(kafka.admin())))
  })

  it('logs listeners that throw or reject, and goes on', async () => {
    const { instrumentation, entries } = create()
    const heard: string[] = []
    instrumentation.on('admin.connect', () => {
      throw new Error('thrown')
    })
    instrumentation.on('admin.connect', () => Promise.reject(new Error('rejected')))
    instrumentation.on('admin.connect', () => heard.push('last'))
    instrumentation.emit('admin.connect', null)
    expect(heard).toEqual(['last'])
    await new Promise((resolve) => setImmediate(resolve))
    expect(entries.map(({ log }) => log.message)).toEqual([
      'Failed to execute listener: thrown',
      'Failed to execute listener: rejected',
    ])
  })
})

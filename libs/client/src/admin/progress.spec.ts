import { describe, expect, it } from '@jest/globals'
import { KafkaError } from '@rivulet/protocol'
import { changeEach } from './progress.js'
import type { Progress } from './progress.js'

describe('changeEach', () => {
  it('goes by the order of the names and past those that fail', async () => {
    const tried: string[] = []
    const failures = await changeEach(new Map(), ['c', 'a', 'b'], async (topic) => {
      tried.push(topic)
      if (topic === 'a') throw new KafkaError('INVALID_CONFIG')
    })
    expect(tried).toEqual(['a', 'b', 'c'])
    expect(failures).toEqual([{ name: 'a', error: new KafkaError('INVALID_CONFIG') }])
  })

  it('stops at an error that leaves a change in doubt, and tells the change so at the next try', async () => {
    const progress: Progress = new Map()
    const tried: unknown[] = []
    const change = (lost: boolean) => async (topic: string, inDoubt: boolean) => {
      tried.push([topic, inDoubt])
      if (topic === 'a') throw new KafkaError('TOPIC_ALREADY_EXISTS')
      if (topic === 'c' && lost) throw new KafkaError('NETWORK_EXCEPTION')
    }
    const topics = ['a', 'b', 'c', 'd']
    await expect(changeEach(progress, topics, change(true))).rejects.toMatchObject({ type: 'NETWORK_EXCEPTION' })
    const failures = await changeEach(progress, topics, change(false))
    expect(tried).toEqual([
      ['a', false],
      ['b', false],
      ['c', false],
      ['c', true],
      ['d', false],
    ])
    expect(failures.map(({ name }) => name)).toEqual(['a'])
  })

  it('tries those that failed retriably again', async () => {
    const progress: Progress = new Map()
    const failing = await changeEach(progress, ['a'], () =>
      Promise.reject(new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')),
    )
    expect(failing).toHaveLength(1)
    expect(await changeEach(progress, ['a'], async () => undefined)).toEqual([])
  })
})

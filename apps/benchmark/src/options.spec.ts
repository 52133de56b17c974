import { describe, expect, it } from '@jest/globals'
import { parseOptions, UsageError } from './options.js'

const WORKS = [1, 2, 3]

describe('options', () => {
  it('have defaults', () => {
    expect(parseOptions([], WORKS)).toEqual({
      rounds: 5,
      seconds: 1.5,
      only: null,
      peers: ['rivulet', 'kafkajs', 'platformatic', 'bullmq', 'ioredis'],
      json: null,
      profile: null,
      help: false,
    })
  })

  it('take lists of works and peers', () => {
    const options = parseOptions(['--only', '1, 3', '--peers', 'rivulet,kafkajs'], WORKS)
    expect(options).toMatchObject({ only: [1, 3], peers: ['rivulet', 'kafkajs'] })
  })

  it.each([
    [['--rounds', '0'], '--rounds 0 is not a whole number from 1 to 1000'],
    [['--rounds', '1.5'], '--rounds 1.5 is not a whole number'],
    [['--seconds', 'x'], '--seconds x is not a number'],
    [['--only', '1,7'], '--only names 7; there are 1, 2, 3'],
    [['--peers', 'kafka'], '--peers names kafka; there are rivulet'],
    [['--round', '1'], '--round'],
  ])('%j is refused by name and value', (args, message) => {
    expect(() => parseOptions(args, WORKS)).toThrow(UsageError)
    expect(() => parseOptions(args, WORKS)).toThrow(message)
  })
})

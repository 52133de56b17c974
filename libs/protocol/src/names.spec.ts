import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type ErrorName, KafkaError } from './errors.js'
import { checkConsumerName, checkGroupId, checkNamespace, checkTopicName } from './names.js'

const refusal = (check: (value: unknown) => void, value: unknown): KafkaError => {
  try {
    check(value)
  } catch (error) {
    if (error instanceof KafkaError) return error
    throw error
  }
  throw new Error(`${String(value)} was accepted`)
}

const legal = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-'.split(''))
const other = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }).filter((c) => !/^[a-zA-Z0-9._-]$/.test(c))

const limited: [name: string, check: (value: unknown) => void, longest: number, type: ErrorName][] = [
  ['checkTopicName', checkTopicName, 249, 'INVALID_TOPIC_EXCEPTION'],
  ['checkNamespace', checkNamespace, 64, 'INVALID_OPTION'],
]

describe.each(limited)('%s', (_, check, longest, type) => {
  it('accepts any text of its characters up to its length', () => {
    const names = fc.string({ unit: legal, minLength: 1, maxLength: longest }).filter((n) => n !== '.' && n !== '..')
    fc.assert(fc.property(names, (name) => check(name)))
    check('x'.repeat(longest))
  })

  it('refuses a text that is too long, empty, or has any other character', () => {
    for (const name of ['', 'x'.repeat(longest + 1), 'a\n', 'a b', 'a/b', 'ä'])
      expect(refusal(check, name).type).toBe(type)
    const around = fc.string({ unit: legal, maxLength: 10 })
    fc.assert(
      fc.property(around, other, around, (before, c, after) => refusal(check, before + c + after).type === type),
    )
  })
})

describe('checkTopicName', () => {
  it("refuses '.' and '..', which are folders to Kafka, but not '...'", () => {
    expect(refusal(checkTopicName, '.').type).toBe('INVALID_TOPIC_EXCEPTION')
    expect(refusal(checkTopicName, '..').type).toBe('INVALID_TOPIC_EXCEPTION')
    checkTopicName('...')
  })

  it('names the value and the rule', () => {
    expect(refusal(checkTopicName, 'a b')).toMatchObject({
      message:
        "The topic name \"a b\" is not valid: it must be 1 to 249 of the characters a-z, A-Z, 0-9, '.', '_' and '-', " +
        "and neither '.' nor '..'",
      details: { value: 'a b' },
    })
    expect(refusal(checkTopicName, 'é'.repeat(300)).message.length).toBeLessThan(300)
  })
})

const free: [name: string, check: (value: unknown) => void, type: ErrorName][] = [
  ['checkGroupId', checkGroupId, 'INVALID_GROUP_ID'],
  ['checkConsumerName', checkConsumerName, 'INVALID_OPTION'],
]

describe.each(free)('%s', (_, check, type) => {
  it('accepts any text of 1 to 255 characters', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), (id) => check(id)))
    check('x'.repeat(255))
  })

  it('refuses an empty text, a longer one, and half a character, which Redis could not tell from another', () => {
    for (const id of ['', 'x'.repeat(256), 'a\ud800']) expect(refusal(check, id).type).toBe(type)
  })
})

const all: [check: (value: unknown) => void, type: ErrorName][] = [
  [checkTopicName, 'INVALID_TOPIC_EXCEPTION'],
  [checkNamespace, 'INVALID_OPTION'],
  [checkGroupId, 'INVALID_GROUP_ID'],
  [checkConsumerName, 'INVALID_OPTION'],
]

describe('a value that is not a text', () => {
  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [7, '7'],
    [7n, '7n'],
    [true, 'true'],
    [['a'], 'an array of 1'],
    [{ password: 'x' }, 'an object'],
    [() => 1, 'a function'],
  ])('is refused with the same error, and shown: %p', (value, shown) => {
    for (const [check, type] of all) {
      const error = refusal(check, value)
      expect(error.type).toBe(type)
      expect(error.message).toContain(` ${shown} is not valid`)
    }
  })
})

import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import kafkajs from 'kafkajs'
import { KafkaJSNonRetriableError } from '../../errors.js'
import { AssignerProtocol } from './assigner-protocol.js'

const { MemberMetadata, MemberAssignment } = AssignerProtocol
const theirs = kafkajs.AssignerProtocol

const version = fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 })
const names = fc.string({ unit: 'grapheme', maxLength: 60 })
const userData = fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes))
const metadata = fc.record({ version, topics: fc.array(names), userData })
const partitions = fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))
// kafkajs loses a topic of the name "__proto__".
const topicNames = names.filter((name) => name !== '__proto__')
const assignment = fc.record({ version, assignment: fc.dictionary(topicNames, partitions), userData })

/** Bytes in hexadecimal, with blanks between the fields. */
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** Calls it with whatever value, as a program in JavaScript can. */
function callWith(value: unknown, method: (value: never) => unknown): unknown {
  const result: unknown = Reflect.apply(method, undefined, [value])
  return result
}

describe('MemberMetadata', () => {
  it("is encoded to kafkajs's bytes, and decoded from them", () => {
    fc.assert(
      fc.property(metadata, (value) => {
        const bytes = MemberMetadata.encode(value)
        expect(bytes).toEqual(theirs.MemberMetadata.encode(value))
        expect(MemberMetadata.decode(bytes)).toEqual(theirs.MemberMetadata.decode(bytes))
      }),
    )
  })

  it('may have no user data', () => {
    const { encode } = MemberMetadata
    expect(callWith({ version: 1, topics: ['a'] }, encode)).toEqual(
      callWith({ version: 1, topics: ['a'] }, theirs.MemberMetadata.encode),
    )
    const none = hex('0001 00000001 0001 61 ffffffff')
    expect(callWith({ version: 1, topics: ['a'], userData: null }, encode)).toEqual(none)
    expect(MemberMetadata.decode(none)).toEqual({ version: 1, topics: ['a'], userData: Buffer.alloc(0) })
  })

  it('takes user data that is text, as kafkajs', () => {
    const value = { version: 1, topics: [], userData: '{"previousAssignment":{}}' }
    expect(callWith(value, MemberMetadata.encode)).toEqual(callWith(value, theirs.MemberMetadata.encode))
  })

  it('skips what later versions of the protocol add', () => {
    const bytes = MemberMetadata.encode({ version: 3, topics: ['a', 'b'], userData: Buffer.from('x') })
    const ownedPartitions = hex('00000000 00000007 ffff')
    expect(MemberMetadata.decode(Buffer.concat([bytes, ownedPartitions]))).toEqual({
      version: 3,
      topics: ['a', 'b'],
      userData: Buffer.from('x'),
    })
  })
})

describe('MemberAssignment', () => {
  it("is encoded to kafkajs's bytes, and decoded from them", () => {
    fc.assert(
      fc.property(assignment, (value) => {
        const bytes = MemberAssignment.encode(value)
        expect(bytes).toEqual(theirs.MemberAssignment.encode(value))
        expect(MemberAssignment.decode(bytes)).toEqual(theirs.MemberAssignment.decode(bytes))
      }),
    )
  })

  it('is null where there are no bytes', () => {
    expect(MemberAssignment.decode(Buffer.alloc(0))).toBeNull()
    expect(theirs.MemberAssignment.decode(Buffer.alloc(0))).toBeNull()
  })

  it('keeps a topic by the name of __proto__', () => {
    const value = { version: 0, assignment: Object.fromEntries([['__proto__', [1, 2]]]), userData: Buffer.alloc(0) }
    const decoded = MemberAssignment.decode(MemberAssignment.encode(value))
    expect(Object.entries(decoded?.assignment ?? {})).toEqual([['__proto__', [1, 2]]])
  })

  it('does not hold on to the bytes that it was decoded from', () => {
    const bytes = MemberAssignment.encode({ version: 0, assignment: {}, userData: Buffer.from('mine') })
    const decoded = MemberAssignment.decode(bytes)
    bytes.fill(0)
    expect(decoded?.userData.toString()).toBe('mine')
  })
})

describe.each([
  ['MemberMetadata', MemberMetadata, metadata.map((value) => MemberMetadata.encode(value))],
  ['MemberAssignment', MemberAssignment, assignment.map((value) => MemberAssignment.encode(value))],
] as const)('%s of damaged bytes', (_, { decode }, whole) => {
  const outcome = (bytes: Buffer): unknown => {
    try {
      return decode(bytes)
    } catch (error) {
      return error
    }
  }

  it('refuses what ends too early', () => {
    fc.assert(
      fc.property(whole, fc.nat(), (bytes, n) => {
        const cut = bytes.subarray(0, 2 + (n % (bytes.length - 2)))
        expect(outcome(cut)).toBeInstanceOf(KafkaJSNonRetriableError)
      }),
    )
  })

  it('reads or refuses whatever comes', () => {
    fc.assert(
      fc.property(whole, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 8 }), (bytes, n, noise) => {
        const damaged = Buffer.from(bytes)
        damaged.set(noise.subarray(0, damaged.length), n % Math.max(1, damaged.length - noise.length))
        const result = outcome(damaged)
        expect(result instanceof Error && !(result instanceof KafkaJSNonRetriableError)).toBe(false)
      }),
    )
  })

  it.each([
    ['a count of 2 billion', '0000 7fffffff 0000'],
    ['a negative count', '0000 fffffffe 00000000'],
    ['a negative length of a name', '0000 00000001 fffe 0000000000000000'],
    ['a length of user data beyond the end', '0000 00000000 00000005 01020304'],
  ])('refuses %s', (_name, bytes) => {
    expect(outcome(hex(bytes))).toBeInstanceOf(KafkaJSNonRetriableError)
  })

  it('refuses what is no buffer', () => {
    expect(() => callWith('text', decode)).toThrow(KafkaJSNonRetriableError)
    expect(() => callWith(null, decode)).toThrow(KafkaJSNonRetriableError)
  })
})

it.each([
  ['a version beyond 16 bits', { version: 70_000, topics: [] }],
  ['no version', { topics: [] }],
  ['a topic that is no text', { version: 0, topics: [5] }],
  ['topics that are no array', { version: 0, topics: 'a' }],
  ['a name of more than 32,767 bytes', { version: 0, topics: ['x'.repeat(32_768)] }],
  ['user data that is neither bytes nor text', { version: 0, topics: [], userData: { a: 1 } }],
])('%s is refused when encoding', (_, value) => {
  expect(() => callWith(value, MemberMetadata.encode)).toThrow(KafkaJSNonRetriableError)
})

it('a partition that is no integer of 32 bits is refused when encoding', () => {
  const userData = Buffer.alloc(0)
  expect(() => MemberAssignment.encode({ version: 0, assignment: { a: [1.5] }, userData })).toThrow(/1\.5/)
  expect(() => MemberAssignment.encode({ version: 0, assignment: { a: [2 ** 31] }, userData })).toThrow(/2147483648/)
})

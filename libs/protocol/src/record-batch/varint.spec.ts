import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { KafkaError } from '../errors.js'
import { readVarint, readVarlong, sizeOfVarint, varintEnd, writeVarint, writeVarlong } from './varint.js'

const int32 = fc.oneof(fc.integer(), fc.integer({ min: -200, max: 200 }), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1))
const safe = fc.oneof(fc.maxSafeInteger(), int32, fc.constantFrom(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER))

describe('varints', () => {
  it.each([
    [0, '00'],
    [-1, '01'],
    [1, '02'],
    [63, '7e'],
    [-64, '7f'],
    [64, '8001'],
    [-65, '8101'],
    [8191, 'fe7f'],
    [8192, '808001'],
    [2147483647, 'feffffff0f'],
    [-2147483648, 'ffffffff0f'],
  ])('write %d as Kafka does', (value, hex) => {
    const buffer = Buffer.alloc(5)
    expect(buffer.subarray(0, writeVarint(buffer, 0, value)).toString('hex')).toBe(hex)
    expect(sizeOfVarint(value)).toBe(hex.length / 2)
  })

  it('read every int32 that was written, in the size that was told', () => {
    const buffer = Buffer.alloc(8, 0xff)
    fc.assert(
      fc.property(int32, (value) => {
        const end = writeVarint(buffer, 1, value)
        expect(readVarint(buffer, 1)).toBe(value)
        expect(varintEnd).toBe(end)
        expect(sizeOfVarint(value)).toBe(end - 1)
      }),
    )
  })

  it('read every safe integer that was written as an int64', () => {
    const buffer = Buffer.alloc(12, 0xff)
    fc.assert(
      fc.property(safe, (value) => {
        const end = writeVarlong(buffer, 1, value)
        expect(readVarlong(buffer, 1)).toBe(value)
        expect(varintEnd).toBe(end)
      }),
    )
  })

  it('refuse more than 5 bytes for an int32 and more than 10 for an int64', () => {
    const endless = Buffer.alloc(20, 0xff)
    expect(() => readVarint(endless, 0)).toThrow(KafkaError)
    expect(() => readVarlong(endless, 0)).toThrow(KafkaError)
  })

  it('refuse an int64 beyond the safe integers', () => {
    const max = Buffer.from('feffffffffffffffff01', 'hex')
    expect(() => readVarlong(max, 0)).toThrow('safe integers')
  })

  it('end soon after the end of the buffer, which the caller sees', () => {
    readVarint(Buffer.from([0x80, 0x80]), 0)
    expect(varintEnd).toBe(3)
  })
})

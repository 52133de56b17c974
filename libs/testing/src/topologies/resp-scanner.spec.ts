import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { RespScanner } from './resp-scanner.js'

const resp = fc.letrec<{ value: string; leaf: string; array: string; map: string; attributed: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('leaf'),
    tie('array'),
    tie('map'),
    tie('attributed'),
  ),
  leaf: fc.oneof(
    fc.string().map((text) => `$${text.length}\r\n${text}\r\n`),
    fc.constantFrom(
      '$-1\r\n',
      '*-1\r\n',
      '_\r\n',
      '#t\r\n',
      '+OK\r\n',
      ':-12\r\n',
      ',1.5\r\n',
      '-ERR no\r\n',
      '*0\r\n',
      '$0\r\n\r\n',
    ),
    fc.constantFrom('=7\r\ntxt:a\r\n\r\n', '!5\r\nERR x\r\n', '(12345678901234567890\r\n', '$6\r\n*3\r\n$1\r\n'),
  ),
  array: fc
    .tuple(fc.constantFrom('*', '~', '>'), fc.array(tie('value'), { maxLength: 4 }))
    .map(([type, values]) => `${type}${values.length}\r\n${values.join('')}`),
  map: fc
    .array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 })
    .map((pairs) => `%${pairs.length}\r\n${pairs.flat().join('')}`),
  attributed: fc.tuple(tie('leaf'), tie('leaf'), tie('value')).map(([key, value, of]) => `|1\r\n${key}${value}${of}`),
}))

describe('RespScanner', () => {
  it('finds the end of each value, however the stream is cut into chunks', () => {
    fc.assert(
      fc.property(fc.array(resp.value, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 9 })), (values, sizes) => {
        const stream = Buffer.from(values.join(''), 'latin1')
        const scanner = new RespScanner()
        const ends: number[] = []
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = sizes[turn % sizes.length] ?? stream.length
          ends.push(...scanner.scan(stream.subarray(at, at + size)).map(({ end }) => at + end))
          at += size
        }
        let position = 0
        expect(ends).toEqual(values.map((value) => (position += value.length)))
      }),
    )
  })

  it('finds nothing more once the stream is something else', () => {
    const scanner = new RespScanner()
    expect(scanner.scan(Buffer.from('+OK\r\nGET / HTTP/1.1\r\n+OK\r\n'))).toEqual([{ end: 5, type: '+' }])
    expect(scanner.scan(Buffer.from('+OK\r\n'))).toEqual([])
  })
})

import { describe, expect, it } from '@jest/globals'
import { Command } from 'ioredis'
import { type CommandArgument, encodeCommand } from './encoded-command.js'

const encoded = (...args: CommandArgument[]): Buffer => Buffer.from(encodeCommand('evalsha', args))

describe('an encoded command', () => {
  it.each<[string, CommandArgument[]]>([
    ['no arguments', []],
    ['texts and numbers alone', ['0a1b', 1, -1, 1.5, 9007199254740991, '']],
    ['texts that are longer in UTF-8', ['größe', '鍵', '🔑']],
    ['bytes at the end', ['0a1b', 1, 'key', Buffer.from([0, 13, 10, 255])]],
    ['bytes at the start and in between', [Buffer.from('x'), 'é', Buffer.alloc(0), Buffer.from('y'), 'end', 7]],
    ['many bytes', ['key', Buffer.alloc(100_000, 'v'), Buffer.alloc(70_000, 'w')]],
  ])('has the bytes that ioredis would write: %s', (_, args) => {
    const expected = new Command('evalsha', [...args], { replyEncoding: null }).toWritable({})
    expect(encoded(...args).equals(Buffer.from(expected))).toBe(true)
  })

  it('counts arguments and bytes', () => {
    expect(encoded('é', Buffer.from('\r\n')).toString()).toBe('*3\r\n$7\r\nevalsha\r\n$2\r\né\r\n$2\r\n\r\n\r\n')
  })
})

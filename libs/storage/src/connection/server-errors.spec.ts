import { runInNewContext } from 'node:vm'
import { describe, expect, it } from '@jest/globals'
import { KafkaError } from '@rivulet/protocol'
import { toKafkaError, type ErrorContext } from './server-errors.js'

const reply = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' })

const IN_SCRIPT = ' script: 0a4614a51880b0e81dcb36d0c9a5e7caac26c3ac, on @user_script:12.'

describe('a refusal of Redis becomes an error of Kafka', () => {
  it.each([
    ["OOM command not allowed when used memory > 'maxmemory'.", 'OUT_OF_MEMORY', true],
    [`OOM command not allowed when used memory > 'maxmemory'.${IN_SCRIPT}`, 'OUT_OF_MEMORY', true],
    ['LOADING Redis is loading the dataset in memory', 'LEADER_NOT_AVAILABLE', true],
    ['MASTERDOWN Link with MASTER is down', 'LEADER_NOT_AVAILABLE', true],
    ['CLUSTERDOWN The cluster is down', 'LEADER_NOT_AVAILABLE', true],
    ['BUSY Redis is busy running a script.', 'LEADER_NOT_AVAILABLE', true],
    ['TRYAGAIN Multiple keys request during rehashing of slot', 'NOT_LEADER_OR_FOLLOWER', true],
    ["READONLY You can't write against a read only replica.", 'NOT_LEADER_OR_FOLLOWER', true],
    ['UNBLOCKED force unblock from blocking operation', 'NOT_LEADER_OR_FOLLOWER', true],
    ['NOREPLICAS Not enough good replicas to write.', 'NOT_ENOUGH_REPLICAS', true],
    ['MISCONF Redis is configured to save RDB snapshots', 'KAFKA_STORAGE_ERROR', true],
    ['NOAUTH Authentication required.', 'SASL_AUTHENTICATION_FAILED', false],
    ['WRONGPASS invalid username-password pair', 'SASL_AUTHENTICATION_FAILED', false],
    ["NOPERM this user has no permissions to run the 'get' command", 'CLUSTER_AUTHORIZATION_FAILED', false],
    [
      `ERR ACL failure in script: User x has no permissions to run the 'info' command${IN_SCRIPT}`,
      'CLUSTER_AUTHORIZATION_FAILED',
      false,
    ],
    ['ERR max number of clients reached', 'NETWORK_EXCEPTION', true],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', 'UNKNOWN_SERVER_ERROR', false],
    [`ERR user_script:3: attempt to index a nil value${IN_SCRIPT}`, 'SCRIPT_FAILED', false],
    ['BUSYGROUP Consumer Group name already exists', 'UNKNOWN_SERVER_ERROR', false],
    ["NONE isn't an error", 'UNKNOWN_SERVER_ERROR', false],
  ] as const)('%s', (message, type, retriable) => {
    const error = toKafkaError(reply(message))
    expect(error).toMatchObject({ type, retriable })
    expect(error.message).toContain(message.replace(IN_SCRIPT, ''))
  })

  it("names the topic where rights are the topic's", () => {
    const error = toKafkaError(reply('NOPERM no permissions to access a key'), { topic: 'orders', partition: 3 })
    expect(error.type).toBe('TOPIC_AUTHORIZATION_FAILED')
    expect(error.message).toContain('orders-3')
  })

  it("names the group where rights are the group's", () => {
    const error = toKafkaError(reply('NOPERM no permissions to access a key'), { group: 'billing' })
    expect(error.type).toBe('GROUP_AUTHORIZATION_FAILED')
    expect(error.message).toContain('group billing')
  })
})

describe("an error raised by Rivulet's own scripts", () => {
  it('is the one that it names', () => {
    expect(toKafkaError(reply('UNKNOWN_TOPIC_ID'))).toMatchObject({ type: 'UNKNOWN_TOPIC_ID' })
    const error = toKafkaError(reply(`OFFSET_OUT_OF_RANGE 7 is past the end${IN_SCRIPT}`), { topic: 'a', partition: 0 })
    expect(error).toMatchObject({ type: 'OFFSET_OUT_OF_RANGE', message: '7 is past the end [partition a-0]' })
  })
})

describe('an error of the connection', () => {
  const errno = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), {
    code: 'ECONNREFUSED',
    syscall: 'connect',
  })
  // A vm's context, such as a test runner's, has an Error class of its own.
  const foreign: unknown = runInNewContext(
    'Object.assign(new Error("connect EPIPE"), { code: "EPIPE", syscall: "write" })',
  )
  it.each([
    new Error('Connection is closed.'),
    new Error("Stream isn't writeable and enableOfflineQueue options is false"),
    Object.assign(new Error('Reached the max retries per request limit (which is 0).'), {
      name: 'MaxRetriesPerRequestError',
    }),
    Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError: errno }),
    errno,
    foreign,
  ])('is retriable: %s', (cause) => {
    expect(toKafkaError(cause, { address: 'h:1' })).toMatchObject({ type: 'NETWORK_EXCEPTION', retriable: true, cause })
    expect(toKafkaError(cause, { address: 'h:1' }).message).toContain('h:1')
  })

  it('tells what kept the nodes of a Cluster from answering', () => {
    const error = Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError: errno })
    expect(toKafkaError(error).message).toContain('ECONNREFUSED')
  })
})

it('an error that is one already stays as it is', () => {
  const error = new KafkaError('OUT_OF_MEMORY')
  const context: ErrorContext = { topic: 't' }
  expect(toKafkaError(error, context)).toBe(error)
})

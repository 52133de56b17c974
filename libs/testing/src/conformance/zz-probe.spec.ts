import { it } from '@jest/globals'
import { inspect } from 'node:util'
import { appendFileSync } from 'node:fs'
import { describeOnBoth } from './describe-on-both.js'
import { callUntyped } from './support/calls.js'
import { Workbench } from './support/workbench.js'

describeOnBoth('probe', (target) => {
  const bench = new Workbench(target)
  const say = (line: string) => appendFileSync('/work/scratch/conformance/probe.out', `${target.name} ${line}\n`)
  const show = async (what: string, f: () => unknown) => {
    try {
      say(`${what}: ${inspect(await f(), { depth: 5, breakLength: 300 })}`)
    } catch (e) {
      const x = Object(e)
      say(`${what}: ERR ${JSON.stringify({ name: x.name, message: x.message, type: x.type, code: x.code, retriable: x.retriable, cause: x.cause && { name: x.cause.name, type: x.cause.type } })}`)
    }
  }
  it('x', async () => {
    const send = (m: object, o: object = {}) => callUntyped(bench.producer, 'send', { topic: t0, messages: [m], ...o })
    const t0 = await bench.topic()
    await show('hdr number', () => send({ value: 'x', headers: { a: 1 } }))
    await show('Uint8Array', () => send({ value: new Uint8Array([1,2]) }))
    await show('ts future', () => send({ value: 'x', timestamp: String(Date.now() + 7200_000) }))
    for (const fromBeginning of [true, false]) for (const autoCommit of [true, false]) for (const offset of ['-1', '-2']) await show(`seek ${offset} fromBeginning=${fromBeginning} autoCommit=${autoCommit}`, async () => {
      const topic = await bench.topicWith('a', 'b')
      const groupId = await bench.groupAt(topic, '1')
      await bench.deleteBelow(topic, '1')
      const r = await bench.read(topic, { groupId, fromBeginning, autoCommit })
      await r.values.until(1)
      r.consumer.seek({ topic, partition: 0, offset })
      await new Promise((x) => setTimeout(x, 300))
      await bench.write(topic, ['new'])
      await new Promise((x) => setTimeout(x, 300))
      await r.consumer.disconnect()
      return r.values.entries
    })
    for (const [what, o] of [['threshold 0', { autoCommitThreshold: 0 }], ['interval 0', { autoCommitInterval: 0 }], ['concurrency 0', { partitionsConsumedConcurrently: 0 }], ['maxWait 0', { config: { maxWaitTimeInMs: 0 } }]] as const)
      await show(what, async () => { const r = await bench.read(t0, o); await new Promise((x) => setTimeout(x, 300)); await r.consumer.disconnect(); return r.commits.entries })
    await show('unknown option', async () => callUntyped(target.create(), 'consumer', { groupId: 'g', nonsense: 1 }) !== undefined)
    await show('minBytes 0', async () => callUntyped(target.create(), 'consumer', { groupId: 'g', minBytes: 0, rackId: 'x', maxInFlightRequests: 1, readUncommitted: true }) !== undefined)
    await show('retries inf', async () => callUntyped(target.create(), 'consumer', { groupId: 'g', retry: { retries: Number.MAX_SAFE_INTEGER, maxRetryTime: Infinity } }) !== undefined)
    const name = target.uniqueTopic()
    await show('regex later', async () => { const r = await bench.read(new RegExp('^' + name + '$'), { config: { metadataMaxAge: 100 } }); await bench.admin.createTopics({ topics: [{ topic: name }] }); await bench.write(name, ['z']); await new Promise((q) => setTimeout(() => q('nothing'), 1000)); return r.values.entries })
  }, 60000)
})

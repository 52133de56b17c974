import { it } from '@jest/globals'
import { TcpProxy, testRedisUrl, uniqueNamespace } from '@rivulet/testing'
import { Storage } from '@rivulet/storage'
import { RecordBatchBuilder } from '@rivulet/protocol'
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
it('x', async () => {
  const { hostname, port } = new URL(testRedisUrl())
  const proxy = await TcpProxy.start({ host: hostname, port: Number(port) })
  const storage = await Storage.connect({ redis: { addresses: [proxy.url] }, namespace: uniqueNamespace('x'), requestTimeout: 2000 , logger: console as never})
  const topic = await storage.topics.create({ name: 't', numPartitions: 1 })
  const appender = await storage.openAppender()
  const one = async () => {
    const b = new RecordBatchBuilder(); b.append('k', 'v', undefined, 1)
    const batch = await b.build({ producerId: -1, producerEpoch: 0, baseSequence: 0 })
    const t = performance.now()
    const p = Promise.race([appender.append([{ partition: topic.partitions[0]!, config: topic.config, batch }]), pause(5000)])
    return p.then((r) => process.stderr.write(`${JSON.stringify(r)} ${(r as any)?.[0]?.error?.message} ${Math.round(performance.now() - t)} ms, conns ${proxy.connections}\n`))
  }
  await one(); await one()
  proxy.cut()
  for (let i = 0; i < 4; i++) { await one(); await pause(50) }
  void proxy.dropReply(({ name }) => name.startsWith('EVAL'))
  for (let i = 0; i < 4; i++) { await one(); await pause(50) }
  void proxy.dropRequest(({ name }) => name.startsWith('EVAL'))
  for (let i = 0; i < 4; i++) { await one(); await pause(50) }
  for (let j = 0; j < 5; j++) {
  const p = Promise.all([one(), one(), one()])
  await new Promise(setImmediate)
  proxy.cut()
  await p
  for (let i = 0; i < 2; i++) { await one(); await pause(50) }
  }
  await storage.close(); await proxy.close()
}, 60000)

/** A process that asks itself something and writes the answer, and which files of kafkajs were loaded: node … <url> */
import { createRequire } from 'node:module'
import { firstValueFrom } from 'rxjs'
import { RivuletClient, RivuletServer } from '../src/index.js'

const client = { brokers: [process.argv[2] ?? ''], namespace: 'without-kafkajs', logLevel: 0 }
const server = new RivuletServer({ client })
server.addHandler('double', async (number) => Number(number) * 2)
await new Promise<void>((resolve, reject) => {
  void server.listen((error) => (error instanceof Error ? reject(error) : resolve()))
})
const asking = new RivuletClient({ client })
asking.subscribeToResponseOf('double')
const answer: unknown = await firstValueFrom(asking.send('double', 21))
await asking.close()
await server.close()

const loaded = Object.keys(createRequire(import.meta.url).cache)
process.stdout.write(JSON.stringify({ answer, kafkajs: loaded.filter((file) => file.includes('/kafkajs/')) }))

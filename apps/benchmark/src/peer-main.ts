// The process of one peer: does what the benchmark tells it, one thing after the other.
import { isCommand, type Reply } from './messages.js'
import { makePeer } from './peers/index.js'
import { MissingPeer } from './peers/peer.js'
import { isPeerName } from './peers/settings.js'
import { Workplace } from './workplace.js'

const name = process.argv[2] ?? ''
let workplace: Workplace | null = null

async function perform(message: unknown): Promise<Reply> {
  if (!isCommand(message)) throw new Error('What came is no command')
  if (message.type === 'connect') {
    if (!isPeerName(name)) throw new Error(`There is no peer ${name}`)
    const peer = makePeer(name, message.settings)
    const description = await peer.connect()
    workplace = new Workplace(peer, name, message.settings)
    return { type: 'connected', description }
  }
  if (workplace === null) throw new Error('connect comes first')
  switch (message.type) {
    case 'open':
      await workplace.open(message.work)
      return { type: 'done' }
    case 'round':
      return { type: 'figures', figures: await workplace.round(message) }
    case 'close':
      await workplace.close(message.profileFile)
      return { type: 'done' }
  }
}

function reply(answer: Reply): void {
  if (process.connected) process.send?.(answer)
}

/** Whatever is going on: what was made on the servers goes, and so does the process. */
async function end(): Promise<void> {
  await workplace?.end()
  process.exit()
}

process.on('message', (message) => {
  perform(message).then(reply, (error: unknown) => {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
    reply(error instanceof MissingPeer ? { type: 'missing', reason: error.message } : { type: 'failed', reason })
  })
})
// Ctrl-C reaches this process as well; the benchmark decides what follows from it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
process.on('disconnect', () => void end())

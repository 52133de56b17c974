import { createRequire } from 'node:module'
import { installedVersion } from './installed-version.js'
import { KafkaServer } from './kafka-server.js'
import { type BenchRecord, MissingPeer, type Peer, type Sink, type Topic, type Unit } from './peer.js'
import type { PeerSettings } from './settings.js'

// What is used of @platformatic/kafka. The package is optional (npm leaves it out where Node is too old for it), so its
// own types may be missing where this is compiled.

interface ProduceResult {
  readonly offsets?: { readonly partition: number; readonly offset: bigint }[]
}

interface Producer {
  send(options: { messages: BenchRecord[]; acks: number }): Promise<ProduceResult>
  close(): Promise<void>
}

interface Message {
  readonly value: Buffer
  readonly partition: number
  readonly offset: bigint
}

interface MessagesStream extends AsyncIterable<Message> {
  on(event: 'data', listener: (message: Message) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  close(): Promise<void>
}

interface Consumer {
  consume(options: { topics: string[]; mode: 'earliest'; autocommit: boolean }): Promise<MessagesStream>
  close(force: boolean): Promise<void>
}

interface ClientOptions {
  readonly clientId: string
  readonly bootstrapBrokers: string[]
}

interface PlatformaticModule {
  readonly Producer: new (options: ClientOptions & { serializers: object }) => Producer
  readonly Consumer: new (options: ClientOptions & { groupId: string }) => Consumer
  readonly stringSerializers: object
}

const PACKAGE = '@platformatic/kafka'

export class PlatformaticPeer implements Peer<ProduceResult> {
  readonly expectedRate = 1_000_000
  readonly consumesOnce = false
  readonly #server: KafkaServer
  readonly #options: ClientOptions
  #loaded: { readonly module: PlatformaticModule; readonly producer: Producer } | null = null

  constructor(settings: PeerSettings) {
    this.#server = new KafkaServer(settings)
    this.#options = { clientId: 'bench', bootstrapBrokers: [...settings.kafkaBrokers] }
  }

  async connect(): Promise<string> {
    const module = await load()
    await this.#server.connect()
    const producer = new module.Producer({ ...this.#options, serializers: module.stringSerializers })
    this.#loaded = { module, producer }
    return `${PACKAGE} ${installedVersion(createRequire(import.meta.url).resolve(PACKAGE))}`
  }

  createTopic(topic: Topic): Promise<void> {
    return this.#server.createTopic(topic)
  }

  deleteTopic(topic: Topic): Promise<void> {
    return this.#server.deleteTopic(topic)
  }

  send(_: Topic, messages: BenchRecord[]): Promise<ProduceResult> {
    return this.#connected.producer.send({ messages, acks: 1 })
  }

  positions({ offsets = [] }: ProduceResult): string[] {
    return offsets.map(({ partition, offset }) => `${partition}:${offset}`)
  }

  stored(topic: Topic): Promise<number> {
    return this.#server.stored(topic)
  }

  /** There are no batches: an event is what it has for throughput, the iterator for one record after the other. */
  async consume({ name }: Topic, unit: Unit, sink: Sink): Promise<() => Promise<void>> {
    const groupId = this.#server.newGroup('platformatic')
    const consumer = new this.#connected.module.Consumer({ ...this.#options, groupId })
    const stream = await consumer.consume({ topics: [name], mode: 'earliest', autocommit: false })
    const take = ({ partition, offset, value }: Message): void => {
      if (sink.checking) sink.at(partition, String(offset))
      sink.take(1, value.length)
    }
    let iterated = Promise.resolve()
    if (unit === 'batch') {
      stream.on('data', take)
    } else {
      iterated = (async () => {
        for await (const message of stream) take(message)
      })()
    }
    return async () => {
      await stream.close()
      await iterated
      await consumer.close(true)
      await this.#server.deleteGroup(groupId)
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#loaded?.producer.close(), this.#server.close()])
  }

  get #connected() {
    if (this.#loaded === null) throw new Error('connect() comes first')
    return this.#loaded
  }
}

async function load(): Promise<PlatformaticModule> {
  let module: unknown
  try {
    module = await import(PACKAGE)
  } catch (error) {
    throw new MissingPeer(`${PACKAGE} is not installed; it needs Node 22.22 or later, this is ${process.version}`, {
      cause: error,
    })
  }
  if (isPlatformatic(module)) return module
  throw new MissingPeer(`${PACKAGE} is not what this benchmark was written for`)
}

function isPlatformatic(module: unknown): module is PlatformaticModule {
  if (typeof module !== 'object' || module === null) return false
  const { Producer, Consumer, stringSerializers }: Partial<Record<keyof PlatformaticModule, unknown>> = module
  return typeof Producer === 'function' && typeof Consumer === 'function' && typeof stringSerializers === 'object'
}

import type { Socket } from 'node:net'
import { RespScanner } from './resp-scanner.js'

/** Which way bytes go: `requests` to the target, `replies` back. */
export type Direction = 'requests' | 'replies'

/** A command on its way to the server. */
export interface Command {
  /** In capitals: 'EVALSHA'. */
  name: string
  /** All of it as RESP. */
  bytes: Buffer
}

export interface Rule {
  drop: 'request' | 'reply'
  matches: (command: Command) => boolean
  happened: () => void
}

/** What goes wrong at present; shared by all connections of a proxy. */
export interface Weather {
  frozen: boolean
  delay: number
  lost: Set<Direction>
  rules: Rule[]
}

const MOST_QUEUED = 4 << 20

/** What of a chunk goes on, and what ends the flow after it. */
interface Forward {
  bytes: Buffer
  end?: () => void
}

/** A client's connection and the one to the server that it is joined with. */
export class ProxyConnection {
  readonly ended: Promise<void>
  readonly #client: Socket
  readonly #server: Socket
  readonly #weather: Weather
  readonly #requests: Flow
  readonly #replies: Flow
  readonly #requestScanner = new RespScanner()
  readonly #replyScanner = new RespScanner()
  /** The command that is arriving. */
  #command: Buffer[] = []
  #commandsSeen = 0
  #repliesSeen = 0
  /** The number of the reply that is to be lost. */
  #doomed: { reply: number; rule: Rule } | null = null

  constructor(client: Socket, server: Socket, weather: Weather) {
    this.#client = client
    this.#server = server
    this.#weather = weather
    client.setNoDelay(true)
    server.setNoDelay(true)
    this.#requests = new Flow(client, server, weather, (chunk) => this.#onRequest(chunk))
    this.#replies = new Flow(server, client, weather, (chunk) => this.#onReply(chunk))
    this.ended = new Promise((resolve) => client.once('close', () => resolve()))
    this.weatherChanged()
  }

  weatherChanged(): void {
    this.#requests.weatherChanged()
    this.#replies.weatherChanged()
  }

  cut(): void {
    this.#client.destroy()
    this.#server.destroy()
  }

  #onRequest(chunk: Buffer): Forward {
    if (this.#weather.lost.has('requests')) return { bytes: chunk.subarray(0, 0) }
    let start = 0
    for (const { end } of this.#requestScanner.scan(chunk)) {
      const bytes = Buffer.concat([...this.#command, chunk.subarray(start, end)])
      this.#command = []
      const rule = this.#ruleFor(bytes)
      if (rule?.drop === 'request') {
        // without its last bytes, which are in this chunk, the server cannot carry it out
        return { bytes: chunk.subarray(0, start), end: () => this.#break(rule) }
      }
      if (rule?.drop === 'reply') this.#doomed = { reply: this.#commandsSeen, rule }
      this.#commandsSeen++
      start = end
    }
    this.#command.push(chunk.subarray(start))
    return { bytes: chunk }
  }

  #onReply(chunk: Buffer): Forward {
    if (this.#weather.lost.has('replies')) return { bytes: chunk.subarray(0, 0) }
    const doomed = this.#doomed
    let start = 0
    for (const { end, type } of this.#replyScanner.scan(chunk)) {
      if (doomed?.reply === this.#repliesSeen && type !== '>') break
      if (type !== '>') this.#repliesSeen++
      start = end
    }
    if (doomed?.reply !== this.#repliesSeen || start === chunk.length) return { bytes: chunk }
    return { bytes: chunk.subarray(0, start), end: () => this.#break(doomed.rule) }
  }

  #ruleFor(bytes: Buffer): Rule | undefined {
    const { rules } = this.#weather
    if (rules.length === 0 || this.#doomed !== null) return undefined
    const command = { name: nameOf(bytes), bytes }
    const found = rules.findIndex((rule) => rule.matches(command))
    return found < 0 ? undefined : rules.splice(found, 1)[0]
  }

  #break(rule: Rule): void {
    // soon: what was forwarded before still arrives
    this.#client.destroySoon()
    this.#server.destroySoon()
    rule.happened()
  }
}

/** One direction of a connection, in order, each chunk after its delay. */
class Flow {
  readonly #source: Socket
  readonly #sink: Socket
  readonly #weather: Weather
  readonly #queue: { due: number; chunk: Buffer | (() => void) }[] = []
  #queued = 0
  #ended = false
  #timer: NodeJS.Timeout | undefined

  constructor(source: Socket, sink: Socket, weather: Weather, filter: (chunk: Buffer) => Forward) {
    this.#source = source
    this.#sink = sink
    this.#weather = weather
    source.on('data', (chunk) => {
      if (this.#ended) return
      const { bytes, end } = filter(chunk)
      this.#push(bytes)
      if (end !== undefined) this.#endAfterQueued(end)
    })
    source.on('error', () => {}) // 'close' follows
    source.on('close', () => this.#endAfterQueued(() => sink.destroySoon()))
    sink.on('drain', () => this.weatherChanged())
    sink.on('close', () => clearTimeout(this.#timer))
  }

  weatherChanged(): void {
    this.#flush()
    if (this.#weather.frozen || this.#queued > MOST_QUEUED || this.#sink.writableNeedDrain) this.#source.pause()
    else this.#source.resume()
  }

  /** Nothing that comes later is forwarded. */
  #endAfterQueued(end: () => void): void {
    if (this.#ended) return
    this.#push(end)
    this.#ended = true
  }

  #push(chunk: Buffer | (() => void)): void {
    const due = Math.max(performance.now() + this.#weather.delay, this.#queue.at(-1)?.due ?? 0)
    this.#queue.push({ due, chunk })
    if (typeof chunk !== 'function') this.#queued += chunk.length
    this.weatherChanged()
  }

  #flush(): void {
    clearTimeout(this.#timer)
    for (let head = this.#queue[0]; head !== undefined && !this.#weather.frozen; head = this.#queue[0]) {
      const wait = head.due - performance.now()
      if (wait > 0) {
        this.#timer = setTimeout(() => this.weatherChanged(), Math.ceil(wait))
        return
      }
      this.#queue.shift()
      if (typeof head.chunk === 'function') head.chunk()
      else {
        this.#queued -= head.chunk.length
        if (head.chunk.length > 0 && !this.#sink.destroyed) this.#sink.write(head.chunk)
      }
    }
  }
}

/** The first word of a command in RESP: what is between the second line's end and the third's. */
function nameOf(bytes: Buffer): string {
  const text = bytes.toString('latin1', 0, 64)
  return (text.split('\r\n')[2] ?? '').toUpperCase()
}

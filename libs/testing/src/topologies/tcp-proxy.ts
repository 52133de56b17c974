import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, createConnection, createServer } from 'node:net'
import { type Command, type Direction, ProxyConnection, type Rule, type Weather } from './proxy-connection.js'

export type { Command, Direction } from './proxy-connection.js'

export interface Target {
  host: string
  port: number
}

/**
 * A TCP proxy on 127.0.0.1 that does what networks do at their worst. It starts out transparent; what is set applies to
 * the connections there are and to those that come, until it is taken back or `heal()` takes back everything.
 */
export class TcpProxy {
  readonly host = '127.0.0.1'
  readonly port: number
  #server: Server
  #target: Target
  readonly #connections = new Set<ProxyConnection>()
  readonly #weather: Weather = { frozen: false, delay: 0, lost: new Set(), rules: [] }
  #accepted = 0

  private constructor(server: Server, port: number, target: Target) {
    this.#server = server
    this.port = port
    this.#target = target
  }

  static async start(target: Target): Promise<TcpProxy> {
    const server = await listen(0)
    const proxy = new TcpProxy(server, portOf(server), target)
    server.on('connection', (client) => proxy.#accept(client))
    return proxy
  }

  get url(): string {
    return `redis://${this.host}:${this.port}`
  }

  get connections(): number {
    return this.#connections.size
  }

  /** How many connections there have ever been. */
  get accepted(): number {
    return this.#accepted
  }

  get target(): Target {
    return this.#target
  }

  /** New connections go elsewhere; those there are stay (see `cut`). */
  retarget(target: Target): void {
    this.#target = target
  }

  /** Breaks all connections there are, and what they hold back is lost; new ones are accepted. */
  cut(): void {
    for (const connection of this.#connections) connection.cut()
  }

  /** New connections find a closed port (ECONNREFUSED); those there are stay. */
  async refuse(): Promise<void> {
    if (!this.#server.listening) return
    this.#server.close()
    // 'close' would wait for the connections to end; the port is closed as soon as it no longer listens
    await new Promise(setImmediate)
  }

  /** New connections are accepted again. */
  async accept(): Promise<void> {
    if (this.#server.listening) return
    this.#server = await listen(this.port)
    this.#server.on('connection', (client) => this.#accept(client))
  }

  /** Nothing is forwarded and nothing is lost: connections stay, even new ones are accepted, until `thaw()`. */
  freeze(): void {
    this.#weather.frozen = true
    this.#weatherChanged()
  }

  thaw(): void {
    this.#weather.frozen = false
    this.#weatherChanged()
  }

  /** Everything takes this many milliseconds longer, each way. 0 ends it. */
  delay(milliseconds: number): void {
    this.#weather.delay = milliseconds
  }

  /** What goes that way is lost silently, and the connection stays. Healing does not bring it back: cut, then. */
  blackhole(direction: Direction): void {
    this.#weather.lost.add(direction)
  }

  /**
   * The next command that matches is carried out by the server, and its reply is lost: the connection breaks when the
   * reply comes. Replies to earlier commands of that connection still arrive. Works once; resolves when it has happened.
   */
  dropReply(matches: (command: Command) => boolean): Promise<void> {
    return this.#addRule('reply', matches)
  }

  /** The connection breaks before the next command that matches has reached the server. Works once; resolves then. */
  dropRequest(matches: (command: Command) => boolean): Promise<void> {
    return this.#addRule('request', matches)
  }

  #addRule(drop: Rule['drop'], matches: Rule['matches']): Promise<void> {
    return new Promise((resolve) => this.#weather.rules.push({ drop, matches, happened: resolve }))
  }

  /** Takes back everything: transparent again, and listening. Connections there are stay. */
  async heal(): Promise<void> {
    Object.assign(this.#weather, { frozen: false, delay: 0, rules: [] })
    this.#weather.lost.clear()
    this.#weatherChanged()
    await this.accept()
  }

  async close(): Promise<void> {
    this.cut()
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }

  #accept(client: Socket): void {
    this.#accepted++
    const connection = new ProxyConnection(client, createConnection(this.#target), this.#weather)
    this.#connections.add(connection)
    void connection.ended.then(() => this.#connections.delete(connection))
  }

  #weatherChanged(): void {
    for (const connection of this.#connections) connection.weatherChanged()
  }
}

async function listen(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address()
  if (address === null || typeof address === 'string') throw new Error('The system gave no port')
  return address.port
}

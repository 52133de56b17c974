import { createServer, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { types } from 'node:util'

/** Calls a method with whatever arguments, as a program in JavaScript can. */
export async function call(target: object, method: string, ...args: unknown[]): Promise<unknown> {
  const found: unknown = Reflect.get(target, method)
  if (typeof found !== 'function') throw new Error(`there is no ${method}`)
  return Reflect.apply(found, target, args)
}

/** What the work failed with, or 'succeeded'; 'hung' after the time, in ms. */
export async function outcomeOf(work: () => unknown, deadline = 5000): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, deadline, 'hung')
  })
  const attempt = async (): Promise<unknown> => {
    try {
      await work()
      return 'succeeded'
    } catch (error) {
      return error
    }
  }
  try {
    return await Promise.race([attempt(), late])
  } finally {
    clearTimeout(timer)
  }
}

/** The errors of a chain of causes, the outermost first. */
function causesOf(error: unknown): Error[] {
  const chain: Error[] = []
  for (let e = error; types.isNativeError(e) && chain.length < 10; e = e.cause) chain.push(e)
  return chain
}

const OF_PROGRAMMING = ['TypeError', 'RangeError', 'SyntaxError', 'ReferenceError']

/** What is wrong with an outcome that must be a success or an error of this client's own; null: nothing. */
export function fault(outcome: unknown): string | null {
  if (outcome === 'succeeded') return null
  if (!types.isNativeError(outcome)) return String(outcome)
  const wrong = causesOf(outcome).find(({ name }) => OF_PROGRAMMING.includes(name))
  if (wrong !== undefined) return `${outcome.name} caused by ${wrong.stack}`
  return outcome.name.startsWith('KafkaJS') ? null : `${outcome.name}: ${outcome.message}`
}

/** How long the work takes, in ms. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

/** A server that says what it is told to, on a free port of 127.0.0.1. */
export class FakeServer {
  private readonly sockets = new Set<Socket>()

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** @param answer to each piece that comes in; null: silence */
  static async start(answer: (said: string) => string | null): Promise<FakeServer> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('The system gave no port')
    server.unref()
    const fake = new FakeServer(server, address.port)
    server.on('connection', (socket) => {
      fake.sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('data', (data) => {
        const reply = answer(data.toString('latin1'))
        if (reply !== null) socket.write(reply)
      })
    })
    return fake
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    this.server.close()
    await once(this.server, 'close')
  }
}

/** A text as Redis's protocol has it. */
export const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`

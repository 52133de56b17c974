import { Command, type Cluster, type Redis } from 'ioredis'

export type CommandArgument = string | number | Buffer

const END = '\r\n'

/** A command that ioredis neither copies nor converts argument by argument: that is most of what a small append
 * costs in ioredis. */
class EncodedCommand extends Command {
  readonly #args: CommandArgument[]

  constructor(name: string, args: CommandArgument[], replyEncoding: 'utf8' | null) {
    super(name, [], { replyEncoding })
    this.#args = args
    // Where a Cluster's client finds the keys.
    this.args = args
  }

  /** Anew each time: a Cluster's client may write it to another node after the first. */
  override toWritable(): string | Buffer {
    return encodeCommand(this.name, this.#args)
  }
}

/**
 * Issues a command.
 *
 * @param args belong to the command from here on
 * @param replyEncoding null: texts come as buffers
 */
export function issueCommand(
  client: Redis | Cluster,
  name: string,
  args: CommandArgument[],
  replyEncoding: 'utf8' | null,
): Promise<unknown> {
  const command = new EncodedCommand(name, args, replyEncoding)
  void client.sendCommand(command)
  return command.promise
}

/** As RESP has it: one text where there are only texts, else one buffer. */
export function encodeCommand(name: string, args: readonly CommandArgument[]): string | Buffer {
  const buffers: Buffer[] = []
  /** What comes before each of the buffers. */
  const texts: string[] = []
  let bytes = 0
  let text = `*${args.length + 1}${END}${bulk(name)}`
  for (const arg of args) {
    if (typeof arg !== 'object') {
      text += bulk(typeof arg === 'string' ? arg : String(arg))
      continue
    }
    text += `$${arg.length}${END}`
    bytes += Buffer.byteLength(text) + arg.length
    texts.push(text)
    buffers.push(arg)
    text = END
  }
  if (buffers.length === 0) return text
  const encoded = Buffer.allocUnsafe(bytes + Buffer.byteLength(text))
  let at = 0
  let i = 0
  for (const buffer of buffers) {
    at += encoded.write(texts[i++] ?? '', at)
    encoded.set(buffer, at)
    at += buffer.length
  }
  encoded.write(text, at)
  return encoded
}

const bulk = (text: string): string => `$${Buffer.byteLength(text)}${END}${text}${END}`

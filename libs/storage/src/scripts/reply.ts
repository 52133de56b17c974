/** Takes a script's reply apart. What it is not expected to be is SCRIPT_FAILED: the script and its call do not fit. */
import { KafkaError } from '@rivulet/protocol'

export class Reply {
  constructor(
    private readonly script: string,
    private readonly value: unknown,
  ) {}

  get isNil(): boolean {
    return this.value === null
  }

  list(): readonly Reply[] {
    return this.array().map((item) => new Reply(this.script, item))
  }

  /** For lists that are too long to be wrapped item by item. */
  array(): readonly unknown[] {
    return Array.isArray(this.value) ? this.value : this.refuse('a list')
  }

  number(): number {
    const { value } = this
    if (typeof value === 'number') return value
    const number = typeof value === 'string' || Buffer.isBuffer(value) ? Number(value.toString()) : NaN
    return Number.isNaN(number) ? this.refuse('a number') : number
  }

  numbers(): readonly number[] {
    return this.list().map((item) => item.number())
  }

  /** Of a script that is run for strings. */
  string(): string {
    return typeof this.value === 'string' ? this.value : this.refuse('a string')
  }

  strings(): readonly string[] {
    return this.list().map((item) => item.string())
  }

  buffer(): Buffer {
    return Buffer.isBuffer(this.value) ? this.value : this.refuse('bytes')
  }

  buffers(): readonly Buffer[] {
    return this.list().map((item) => item.buffer())
  }

  text(): string {
    return this.buffer().toString('latin1')
  }

  private refuse(expected: string): never {
    throw new KafkaError('SCRIPT_FAILED', `script ${this.script} answered ${typeof this.value}, not ${expected}`)
  }
}

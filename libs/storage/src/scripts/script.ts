/**
 * Runs Lua scripts: by their SHA-1, and by their text where the server does not know them yet (its cache is lost with
 * a restart and a failover). The sources are generated from the .lua files of a room's scripts folder, so that a bundler
 * carries them like any other module.
 */
import { Command, type Cluster, type Redis } from 'ioredis'

/** A script's text, and what the server knows it by. */
export interface ScriptSource {
  readonly sha1: string
  readonly lua: string
}

export type ScriptArgument = string | number | Buffer

export class Script {
  readonly #sha1: string
  readonly #lua: string

  constructor(
    readonly name: string,
    source: ScriptSource,
  ) {
    this.#sha1 = source.sha1
    this.#lua = source.lua
  }

  /** Answers with strings where the script returns them. */
  async run(redis: Redis | Cluster, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    try {
      return await redis.evalsha(this.#sha1, keys.length, ...keys, ...args)
    } catch (error) {
      if (!isUnknownScript(error)) throw error
      return redis.eval(this.#lua, keys.length, ...keys, ...args)
    }
  }

  /** Answers with buffers where the script returns strings: for what may not be UTF-8. */
  async runForBuffers(
    redis: Redis | Cluster,
    keys: readonly string[],
    args: readonly ScriptArgument[],
  ): Promise<unknown> {
    try {
      return await sendForBuffers(redis, 'evalsha', [this.#sha1, keys.length, ...keys, ...args])
    } catch (error) {
      if (!isUnknownScript(error)) throw error
      return sendForBuffers(redis, 'eval', [this.#lua, keys.length, ...keys, ...args])
    }
  }
}

// ioredis has evalshaBuffer, and does not tell TypeScript.
function sendForBuffers(redis: Redis | Cluster, name: string, args: readonly ScriptArgument[]): Promise<unknown> {
  const command = new Command(name, [...args], { replyEncoding: null })
  void redis.sendCommand(command)
  return command.promise
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}

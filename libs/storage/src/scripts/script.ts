/**
 * Runs Lua scripts: by their SHA-1, and by their text where the server does not know them yet (its cache is lost with
 * a restart and a failover). The sources are generated from the .lua files of a room's scripts folder, so that a bundler
 * carries them like any other module.
 */
import type { Cluster, Redis } from 'ioredis'
import { type CommandArgument, issueCommand } from '../connection/encoded-command.js'

/** A script's text, and what the server knows it by. */
export interface ScriptSource {
  readonly sha1: string
  readonly lua: string
}

export type ScriptArgument = CommandArgument

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
  run(redis: Redis | Cluster, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    return this.#run(redis, [this.#sha1, keys.length, ...keys, ...args], 'utf8')
  }

  /** Answers with buffers where the script returns strings: for what may not be UTF-8. */
  runForBuffers(redis: Redis | Cluster, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    return this.#run(redis, [this.#sha1, keys.length, ...keys, ...args], null)
  }

  #run(redis: Redis | Cluster, args: ScriptArgument[], replyEncoding: 'utf8' | null): Promise<unknown> {
    return issueCommand(redis, 'evalsha', args, replyEncoding).catch((error: unknown) => {
      if (!isUnknownScript(error)) throw error
      return issueCommand(redis, 'eval', args.with(0, this.#lua), replyEncoding)
    })
  }
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}

import { type RedisServerProcess, type StartOptions, startRedisServer } from '@rivulet/redis-server'

export type SingleOptions = StartOptions

/** A single server that a spec may kill, restart and configure as it likes. Stop it at the end. */
export function startSingle(options: SingleOptions = {}): Promise<RedisServerProcess> {
  return startRedisServer(options)
}

/** How a server came to be: the one that REDIS_URL names, a program on this machine, a container, or a distribution's package. */
export type RedisServerKind = 'url' | 'local' | 'docker' | 'package'

export interface RedisServer {
  /** `redis://127.0.0.1:41233`; for kind 'url' exactly what was given, with its password. */
  readonly url: string
  readonly host: string
  readonly port: number
  /** '7.0.15' */
  readonly version: string
  readonly kind: RedisServerKind
  /** For people: 'Redis 7.0.15 (/usr/bin/redis-server)'. Holds no password. */
  readonly description: string
  /** Ends what was started and removes what it left; does nothing to a server that was only found. Idempotent. */
  stop(): Promise<void>
}

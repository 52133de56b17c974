import { platform } from 'node:os'

/** One way of getting a server that was tried, and why it gave none. */
export interface FailedAttempt {
  way: string
  reason: string
}

/** No Redis could be found or started. The message says what was tried, why each way failed, and what to install. */
export class RedisServerNotFoundError extends Error {
  readonly attempts: readonly FailedAttempt[]

  constructor(attempts: readonly FailedAttempt[]) {
    super(
      [
        'No Redis 7.0 (or Valkey) was found or could be started:',
        ...attempts.map(({ way, reason }) => `  - ${way}: ${reason}`),
        `What helps: ${remedy()}`,
      ].join('\n'),
    )
    this.name = 'RedisServerNotFoundError'
    this.attempts = attempts
  }
}

/** A server that was found did not come up. The message ends with what the server said. */
export class RedisServerStartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RedisServerStartError'
  }
}

function remedy(): string {
  const install =
    platform() === 'darwin'
      ? '`brew install redis` (or `brew install valkey`)'
      : platform() === 'win32'
        ? 'Docker Desktop, or Redis inside WSL'
        : '`sudo apt-get install redis-server` (Debian, Ubuntu), `sudo dnf install valkey` (Fedora) or `apk add valkey` (Alpine)'
  return `${install}; or start Docker; or set REDIS_URL to a Redis 7.0 or later that may be used, such as redis://localhost:6379.`
}

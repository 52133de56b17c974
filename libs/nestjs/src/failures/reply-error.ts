import { RpcException } from '@nestjs/microservices'

/** What the one who asked is told, in the form that Nest's filters give errors. */
export function toReplyError(error: unknown): object {
  if (!(error instanceof RpcException)) return { status: 'error', message: 'Internal server error' }
  const given = error.getError()
  // KafkaRetriableException gives itself.
  return typeof given === 'object' && given !== error ? given : { status: 'error', message: error.message }
}

import type { BaseRpcContext } from '@nestjs/microservices'

/** What a handler failed with, on its way to where it is decided what follows. */
export class HandlerFailure extends Error {
  override name = 'HandlerFailure'

  constructor(
    /** As the handler, or a filter, left it. */
    readonly error: unknown,
    /** Absent where the message did not even come to a handler. */
    readonly context: BaseRpcContext | null = null,
    /** Fails the request, where the message is one. */
    readonly reply: ((error: unknown) => Promise<void>) | null = null,
  ) {
    super('A handler failed', { cause: error })
  }
}

import { toError } from '../errors.js'
import type { Logger } from '../types.js'

/** How deep the causes of an error are looked into. */
const MAX_CAUSES = 20

/** Whether a consumer starts again after a crash: kafkajs's rules. The application's callback never fails it. */
export async function shouldRestart(
  error: Error,
  restartOnFailure: ((error: Error) => Promise<boolean>) | undefined,
  { logger, groupId }: { readonly logger: Logger; readonly groupId: string },
): Promise<boolean> {
  if (error.name !== 'KafkaJSNumberOfRetriesExceeded' && !isRetriableAtHeart(error)) return false
  if (restartOnFailure === undefined) return true
  try {
    return await restartOnFailure(error)
  } catch (thrown) {
    logger.error('Caught error when invoking user-provided "restartOnFailure" callback. Defaulting to restarting.', {
      error: toError(thrown).message,
      cause: error.message,
      groupId,
    })
    return true
  }
}

/** What was wrong in the first place decides, as far as it says whether it can be retried. */
function isRetriableAtHeart(error: Error): boolean {
  let retriable = false
  let original: unknown = error
  // An application's error may be its own cause.
  for (let depth = 0; depth < MAX_CAUSES && original instanceof Error; depth++) {
    if ('retriable' in original) retriable = original.retriable === true
    original = original.cause
  }
  return retriable
}

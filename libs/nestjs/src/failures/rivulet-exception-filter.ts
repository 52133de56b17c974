import { type ArgumentsHost, Catch } from '@nestjs/common'
import { type BaseRpcContext, BaseRpcExceptionFilter } from '@nestjs/microservices'
import type { Observable } from 'rxjs'

const originals = new WeakMap<object, unknown>()

/**
 * Keeps what a handler threw for `failures`, and answers as Nest does by itself. Nest makes 'Internal server error' of
 * everything but an RpcException; with this filter (`app.useGlobalFilters(new RivuletExceptionFilter())`) failures are judged
 * by, and dead letters tell of, the error itself.
 */
@Catch()
export class RivuletExceptionFilter extends BaseRpcExceptionFilter<unknown, unknown> {
  override catch(exception: unknown, host: ArgumentsHost): Observable<unknown> {
    const context = host.switchToRpc().getContext<unknown>()
    if (typeof context === 'object' && context !== null) originals.set(context, exception)
    return super.catch(exception, host)
  }
}

/** What was thrown in this context, where the filter saw it; otherwise what is left of it. */
export function originalError(context: BaseRpcContext | null, left: unknown): unknown {
  return context !== null && originals.has(context) ? originals.get(context) : left
}

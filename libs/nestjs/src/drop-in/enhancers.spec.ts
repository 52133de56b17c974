import {
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  Catch,
  Controller,
  type ExecutionContext,
  type ExceptionFilter,
  Injectable,
  type NestInterceptor,
  ParseIntPipe,
  type PipeTransform,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
} from '@nestjs/common'
import {
  BaseRpcExceptionFilter,
  Ctx,
  EventPattern,
  type KafkaContext,
  KafkaRetriableException,
  MessagePattern,
  Payload,
  RpcException,
} from '@nestjs/microservices'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { uniqueNamespace, waitFor } from '@rivulet/testing'
import { IsInt } from 'class-validator'
import { lastValueFrom, map, type Observable, of, tap, throwError, timeout } from 'rxjs'
import { type Application, describeOnBoth, startApplication } from '../../spec-support/drop-in.js'

const prefix = uniqueNamespace('enhancers')
const topic = (name: string): string => `${prefix}.${name}`

let noted: string[] = []

@Injectable()
class Guard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    noted.push(`guard of ${context.getType()}`)
    return context.switchToRpc().getData<unknown>() !== 'forbidden'
  }
}

@Injectable()
class Interceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const kafka = context.switchToRpc().getContext<KafkaContext>()
    noted.push(`before ${kafka.getTopic().slice(prefix.length + 1)}`)
    return next.handle().pipe(
      tap(() => noted.push('after')),
      map((value: unknown) => `intercepted ${String(value)}`),
    )
  }
}

@Injectable()
class Pipe implements PipeTransform {
  transform(value: unknown): unknown {
    noted.push('pipe')
    return typeof value === 'string' ? value.toUpperCase() : value
  }
}

@Catch(RangeError)
class Filter implements ExceptionFilter<RangeError> {
  catch(error: RangeError, host: ArgumentsHost): Observable<never> {
    noted.push(`filter of ${host.getType()}`)
    return throwError(() => ({ filtered: error.message }))
  }
}

@Catch()
class Forgiving implements ExceptionFilter {
  catch(): Observable<string> {
    noted.push('forgiven')
    return of('forgiven')
  }
}

@Catch(TypeError)
class Retrying extends BaseRpcExceptionFilter {
  override catch(): Observable<never> {
    noted.push('tried')
    const error = new KafkaRetriableException('again')
    return throwError(() => (noted.length < 3 ? error : new RpcException('given up')))
  }
}

class Order {
  @IsInt() declare pieces: number
}

@Controller()
class Enhanced {
  @MessagePattern(topic('all'))
  @UseGuards(Guard)
  @UseInterceptors(Interceptor)
  @UsePipes(Pipe)
  @UseFilters(Filter)
  all(@Payload() data: string, @Ctx() _context: KafkaContext): string {
    noted.push('handler')
    if (data === 'RANGE') throw new RangeError('out of range')
    return data
  }

  @MessagePattern(topic('validated'))
  @UsePipes(new ValidationPipe())
  validated(@Payload() order: Order): string {
    return `${order.pieces} pieces, ${order instanceof Order}`
  }

  @MessagePattern(topic('parsed'))
  parsed(@Payload('n', ParseIntPipe) n: number): string {
    return `${typeof n} ${n}`
  }

  @MessagePattern(topic('retried'))
  @UseFilters(Retrying)
  retried(): string {
    throw new TypeError('always')
  }

  @EventPattern<unknown>(topic('forgiven'))
  @UseFilters(Forgiving)
  forgiven(@Payload() data: string): void {
    noted.push(`event ${data}`)
    if (data === 'bad') throw new Error('bad')
  }

  @EventPattern<unknown>(topic('guarded'))
  @UseGuards(Guard)
  @UseFilters(Forgiving)
  guarded(@Payload() data: string): void {
    noted.push(`event ${data}`)
  }
}

@Catch(SyntaxError)
class GlobalFilter implements ExceptionFilter<SyntaxError> {
  catch(error: SyntaxError): Observable<never> {
    return throwError(() => ({ global: error.message }))
  }
}

@Controller()
class OfGlobals {
  @MessagePattern(topic('global'))
  fail(): never {
    throw new SyntaxError('at large')
  }
}

const ASKED = ['all', 'validated', 'parsed', 'retried', 'global'].map(topic)

describeOnBoth('pipes, guards, interceptors and filters', prefix, (target) => {
  let application: Application
  beforeAll(async () => {
    application = await startApplication(target, {
      topics: [...ASKED, topic('forgiven'), topic('guarded')],
      asks: ASKED,
      controllers: [Enhanced, OfGlobals],
      configure: (app) => app.useGlobalFilters(new GlobalFilter()),
    })
  })
  afterAll(() => application.close())

  async function ask(name: string, data: unknown): Promise<unknown> {
    noted = []
    return lastValueFrom(application.client.send<unknown>(topic(name), data).pipe(timeout(8000)))
  }
  async function emit(name: string, ...values: string[]): Promise<void> {
    noted = []
    const messages = values.map((value) => ({ value }))
    await lastValueFrom(application.client.emitBatch(topic(name), { messages }))
  }

  it('run around a handler in their order', async () => {
    expect(await ask('all', 'data')).toBe('intercepted DATA')
    expect(noted).toEqual(['guard of rpc', 'before all', 'pipe', 'pipe', 'handler', 'after'])
  })

  it('keep a handler from what a guard forbids', async () => {
    await expect(ask('all', 'forbidden')).rejects.toEqual({ status: 'error', message: 'Forbidden resource' })
    expect(noted).toEqual(['guard of rpc'])
  })

  it('answer with what a filter makes of an error', async () => {
    await expect(ask('all', 'range')).rejects.toEqual({ filtered: 'out of range' })
    expect(noted).toEqual(['guard of rpc', 'before all', 'pipe', 'pipe', 'handler', 'filter of rpc'])
  })

  it('validate and transform a payload', async () => {
    expect(await ask('validated', { pieces: 3 })).toBe('3 pieces, false')
    expect(await ask('parsed', { n: '17' })).toBe('number 17')
  })

  it('answer with the failure of a validation', async () => {
    await expect(ask('validated', { pieces: 'many' })).rejects.toMatchObject({ status: 'error' })
    await expect(ask('parsed', { n: 'x' })).rejects.toMatchObject({ status: 'error' })
  })

  it('hand a request out again where a filter makes a KafkaRetriableException of its error', async () => {
    await expect(ask('retried', '')).rejects.toMatchObject({ message: 'given up' })
    expect(noted).toEqual(['tried', 'tried', 'tried'])
  })

  it('are those of the whole application, too', async () => {
    await expect(ask('global', '')).rejects.toEqual({ global: 'at large' })
  })

  it('let the next event come where a filter makes good of an error', async () => {
    await emit('forgiven', 'bad', 'good')
    await waitFor(() => noted.includes('event good'), { what: 'the next event' })
    expect(noted).toEqual(['event bad', 'forgiven', 'event good'])
  })

  it('let the next event come where a filter forgives what a guard forbids', async () => {
    await emit('guarded', 'forbidden', 'allowed')
    await waitFor(() => noted.includes('event allowed'), { what: 'the next event' })
    expect(noted).toEqual(['guard of rpc', 'forgiven', 'guard of rpc', 'event allowed'])
  })
})

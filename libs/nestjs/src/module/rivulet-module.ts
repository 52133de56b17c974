import type { DynamicModule, FactoryProvider, ModuleMetadata, Provider, Type } from '@nestjs/common'
import { Kafka } from '@rivulet/client'
import { RivuletClient } from '../rivulet-client.js'
import type { RivuletOptions } from '../rivulet-options.js'
import { RivuletConnection, type RivuletModuleOptions } from './rivulet-connection.js'
import { DEFAULT_CONNECTION, getRivuletAdminToken, getRivuletProducerToken, getRivuletToken } from './tokens.js'

export interface RivuletModuleSettings {
  /** The connection's name, where an application has several ('default'). */
  name?: string
}

/** Makes the options, for `useClass` and `useExisting`. */
export interface RivuletOptionsFactory {
  createRivuletOptions(): RivuletModuleOptions | Promise<RivuletModuleOptions>
}

/** One of `useFactory`, `useClass` and `useExisting` says where the options come from. */
export interface RivuletModuleAsyncOptions extends RivuletModuleSettings, Pick<ModuleMetadata, 'imports'> {
  useFactory?: FactoryProvider<RivuletModuleOptions | Promise<RivuletModuleOptions>>['useFactory']
  inject?: FactoryProvider['inject']
  useClass?: Type<RivuletOptionsFactory>
  useExisting?: Type<RivuletOptionsFactory>
  extraProviders?: Provider[]
}

/** A client of that name, which is its injection token. What `client` leaves out is as the connection has it. */
export interface RivuletFeatureClient extends RivuletOptions {
  name: string | symbol
}

/**
 * Rivulet for an application's own use: `Kafka`, a producer and an admin client to inject, connected before the
 * application starts and disconnected when it has ended; and clients (`ClientProxy`) by name.
 */
export class RivuletModule {
  /** A connection that can be injected everywhere. */
  static forRoot({ name, ...options }: RivuletModuleOptions & RivuletModuleSettings): DynamicModule {
    return connectionModule(name, [{ provide: optionsToken(name), useValue: options }])
  }

  /** As forRoot. @throws Error where nothing says where the options come from */
  static forRootAsync({ imports = [], extraProviders = [], ...options }: RivuletModuleAsyncOptions): DynamicModule {
    return { ...connectionModule(options.name, [...asyncOptions(options), ...extraProviders]), imports }
  }

  /** @param connection the name of the connection that these clients share options with */
  static forFeature(clients: RivuletFeatureClient[], connection?: string): DynamicModule {
    const providers = clients.map(({ name, ...options }) => ({
      provide: name,
      useFactory: ({ options: root }: RivuletConnection) =>
        new RivuletClient({ ...options, client: { ...root, ...options.client } }),
      inject: [connectionToken(connection)],
    }))
    return { module: RivuletModule, providers, exports: providers.map(({ provide }) => provide) }
  }
}

const optionsToken = (name = DEFAULT_CONNECTION): string => `rivulet:${name}:options`
const connectionToken = (name = DEFAULT_CONNECTION): string => `rivulet:${name}:connection`

const openConnection = (options: RivuletModuleOptions): Promise<RivuletConnection> => RivuletConnection.open(options)

function connectionModule(name: string | undefined, options: Provider[]): DynamicModule {
  const inject = [connectionToken(name)]
  const parts: FactoryProvider[] = [
    { provide: connectionToken(name), useFactory: openConnection, inject: [optionsToken(name)] },
    { provide: getRivuletToken(name), useFactory: ({ kafka }: RivuletConnection) => kafka, inject },
    { provide: getRivuletProducerToken(name), useFactory: ({ producer }: RivuletConnection) => producer, inject },
    { provide: getRivuletAdminToken(name), useFactory: ({ admin }: RivuletConnection) => admin, inject },
  ]
  if (name === undefined || name === DEFAULT_CONNECTION) {
    parts.push({ provide: Kafka, useFactory: ({ kafka }: RivuletConnection) => kafka, inject })
  }
  return {
    module: RivuletModule,
    global: true,
    providers: [...options, ...parts],
    exports: parts.map(({ provide }) => provide),
  }
}

function asyncOptions({ name, useFactory, inject = [], useClass, useExisting }: RivuletModuleAsyncOptions): Provider[] {
  const provide = optionsToken(name)
  if (useFactory !== undefined) return [{ provide, useFactory, inject }]
  const factory = useExisting ?? useClass
  if (factory === undefined) {
    throw new Error('RivuletModule.forRootAsync needs useFactory, useClass or useExisting')
  }
  return [
    ...(useExisting === undefined ? [factory] : []),
    { provide, useFactory: (made: RivuletOptionsFactory) => made.createRivuletOptions(), inject: [factory] },
  ]
}

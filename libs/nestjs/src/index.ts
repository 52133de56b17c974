export { ack } from './ack.js'
export type { FailureOptions } from './failures/failure-policy.js'
export { RivuletExceptionFilter } from './failures/rivulet-exception-filter.js'
export type { RivuletModuleOptions } from './module/rivulet-connection.js'
export {
  RivuletModule,
  type RivuletFeatureClient,
  type RivuletModuleAsyncOptions,
  type RivuletModuleSettings,
  type RivuletOptionsFactory,
} from './module/rivulet-module.js'
export {
  getRivuletAdminToken,
  getRivuletProducerToken,
  getRivuletToken,
  InjectRivulet,
  InjectRivuletAdmin,
  InjectRivuletClient,
  InjectRivuletProducer,
} from './module/tokens.js'
export { RivuletClient } from './rivulet-client.js'
export type { RivuletConnectionOptions, RivuletOptions, RivuletServerOptions } from './rivulet-options.js'
export { RivuletServer } from './rivulet-server.js'

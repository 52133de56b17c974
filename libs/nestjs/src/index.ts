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
export type { RivuletConnectionOptions, RivuletOptions } from './rivulet-options.js'
export { RivuletServer } from './rivulet-server.js'

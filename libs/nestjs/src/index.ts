export { RivuletClient } from './rivulet-client.js'
export type { RivuletConnectionOptions, RivuletOptions } from './rivulet-options.js'
export { RivuletServer } from './rivulet-server.js'

import { stopServerOfRun } from './server-of-run.js'

export default stopServerOfRun

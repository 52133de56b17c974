import { BullMQPeer } from './bullmq.js'
import { IORedisPeer } from './ioredis.js'
import { KafkaJSPeer } from './kafkajs.js'
import type { Peer } from './peer.js'
import { PlatformaticPeer } from './platformatic.js'
import { RivuletPeer } from './rivulet.js'
import type { PeerName, PeerSettings } from './settings.js'

const PEERS: Record<PeerName, new (settings: PeerSettings) => Peer<unknown>> = {
  rivulet: RivuletPeer,
  kafkajs: KafkaJSPeer,
  platformatic: PlatformaticPeer,
  bullmq: BullMQPeer,
  ioredis: IORedisPeer,
}

/** @throws MissingPeer where the peer or its server is not there */
export function makePeer(name: PeerName, settings: PeerSettings): Peer<unknown> {
  return new PEERS[name](settings)
}

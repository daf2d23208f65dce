import { Host, type Peer } from 'distribus'

const host = new Host({ reconnectDelay: 100 })
const peer: Peer = host.create('a')
peer.send('b', 1).then(() => host.close())

import distribus = require('distribus')

const host = new distribus.Host({ reconnectDelay: 100 })
const peer: distribus.Peer = host.create('a')
peer.send('b', 1).then(() => host.close())

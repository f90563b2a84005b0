// The network's servers listen on all interfaces by themselves. Loaded before them, this keeps each on 127.0.0.1.
const net = require('net')
const listen = net.Server.prototype.listen

net.Server.prototype.listen = function (first, ...others) {
  const callbacks = others.filter((each) => typeof each === 'function')
  if (/^\d+$/.test(String(first))) return listen.call(this, { port: Number(first), host: '127.0.0.1' }, ...callbacks)
  if (first && typeof first === 'object' && 'port' in first) first = { ...first, host: '127.0.0.1' }
  return listen.call(this, first, ...others)
}

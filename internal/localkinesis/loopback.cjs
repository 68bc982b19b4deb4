// Loaded before either server: neither can be told which address to bind,
// and a Kinesis without a password has no business on the network.
'use strict';

const { Server } = require('node:net');

const listen = Server.prototype.listen;

Server.prototype.listen = function (where, ...rest) {
  const options = typeof where === 'object' ? where : { port: where };
  const callback = rest.filter((argument) => typeof argument === 'function');
  return listen.call(this, { ...options, host: '127.0.0.1' }, ...callback);
};

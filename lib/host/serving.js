'use strict';

const { addressesToBind, urlOf } = require('./listen.js');
const { isClusterWorker } = require('../platform/index.js');
const { checkPort } = require('../common/validate.js');
const { error, fromFailure, hostClosed, typeError } = require('../common/errors.js');

/** The listening server of a host, as programs see it. */
class Server {
  #core;

  /** @param {import('./core.js')} core */
  constructor(core) {
    this.#core = core;
  }

  /** Stops listening and ends all connections that came in that way, without a goodbye. */
  close() {
    this.#core.closeServer();
  }
}

/** Hosts that are about to listen: their address is being looked up. @type {WeakMap<import('./core.js'), object>} */
const opening = new WeakMap();

/**
 * Listens: at once, unless the address is a name that has to be looked up.
 * @param {any} host
 * @param {import('./core.js')} core of that host
 * @param {any} address
 * @param {any} port
 * @param {any} [options]
 * @returns {any} the host, or a promise for it
 */
function listen(host, core, address, port, options) {
  core.guard.checkDraining();
  if (host.server || opening.has(core)) throw error('ERR_SERVER_ALREADY_LISTENING', 'Server already listening');
  if (address !== undefined && address !== null && typeof address !== 'string') {
    throw typeError('ERR_INVALID_ARG_TYPE', `The "address" argument must be a string, got ${typeof address}`);
  }
  checkPort(port);
  const binding = addressesToBind(address, options ? options.bind : undefined);
  if (!(binding instanceof Promise)) return bind(host, core, address, port, binding);
  const turn = {};
  opening.set(core, turn);
  return binding.then((found) => {
    if (opening.get(core) !== turn) throw hostClosed();
    opening.delete(core);
    core.guard.checkDraining();
    return bind(host, core, address, port, found);
  });
}

/**
 * The host is closed: it does not begin to listen any more.
 * @param {import('./core.js')} core
 */
function stopOpening(core) {
  opening.delete(core);
}

/**
 * @param {any} host
 * @param {import('./core.js')} core
 * @param {any} address
 * @param {any} port
 * @param {import('./listen.js').Binding} binding
 */
function bind(host, core, address, port, { addresses, required }) {
  if (core.listening) core.closeServer(); // the program has thrown the server away without closing it
  const number = checkPort(port);
  const { port: bound, error: failure } = JSON.parse(core.start().listen(addresses, required, number));
  if (failure !== undefined) {
    if (!core.isBusy()) core.stop();
    throw fromFailure({ code: 'ERR_DIAL', error: { ...failure, message: explained(failure, number) } });
  }
  core.listening = true;
  host.server = new Server(core);
  host.address = address;
  host.port = number === 0 ? bound : port;
  host.url = urlOf(address, host.port);
  core.rest();
  return host;
}

/**
 * The text of a failure to listen. Workers of a cluster could share a port with 0.4.0, so they are told why they cannot any more; everywhere else the
 * text is that of 0.4.0, which programs compare with.
 * @param {{code: string, message: string}} failure
 * @param {number} port
 */
function explained({ code, message }, port) {
  if (code !== 'EADDRINUSE' || !isClusterWorker()) return message;
  return (
    `${message}: port ${port} is in use, perhaps by another worker of this cluster. Each host needs a port of its own: ` +
    "listen at port 0, or add the worker's number to the port"
  );
}

module.exports = { listen, stopOpening };

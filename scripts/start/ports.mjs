import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * A port of the loopback interface that nothing listens on at this moment.
 *
 * @returns {Promise<number>}
 */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Why a port cannot be listened on.
 *
 * @param {number} port
 * @param {string} host an address; `*`: all
 * @returns {Promise<string | undefined>} undefined if it can
 */
export async function whyPortIsUnusable(port, host) {
  const server = createServer();
  try {
    server.listen({ port, ...(host !== '*' && { host }) });
    await once(server, 'listening');
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === 'EADDRINUSE') return `port ${port} is taken by another program`;
    if (code === 'EACCES') return `port ${port} may not be used by this user`;
    if (code === 'EADDRNOTAVAIL') return `this machine has no address ${host}`;
    return `port ${port} cannot be used: ${code}`;
  }
  server.close();
  await once(server, 'close');
  return undefined;
}

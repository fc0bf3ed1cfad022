import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { addressOf } from '../access/client-address.js';
import type { KnownHosts } from '../access/known-hosts.js';
import type { Refusals } from '../access/refusals.js';

/** Takes an upgrade request over and says true; false if it is for somebody else. */
type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;

/** Hands an upgrade request to the first that takes it, if its host is this server's. */
export function upgradeOf(
  handlers: readonly UpgradeHandler[],
  { hosts, refusals, trustProxy }: { hosts: KnownHosts; refusals: Refusals; trustProxy: number },
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  return (request, socket, head) => {
    if (!hosts.isOurs(request)) {
      const address = addressOf(request, trustProxy);
      const refusal = hosts.refusal(request);
      refusals.tell('http', MISDIRECTED.code, { address }, refusal);
      return refuseUpgrade(socket, MISDIRECTED, refusal);
    }
    if (handlers.some((handler) => handler(request, socket, head))) return;
    refuseUpgrade(socket, NOT_FOUND, 'There is no WebSocket here.');
  };
}

const NOT_FOUND = { status: '404 Not Found', code: 'not_found' };
const MISDIRECTED = { status: '421 Misdirected Request', code: 'misdirected_request' };

function refuseUpgrade(
  socket: Duplex,
  { status, code }: { status: string; code: string },
  message: string,
): void {
  socket.on('error', () => {});
  const body = JSON.stringify({ error: { code, message } });
  socket.end(
    [
      `HTTP/1.1 ${status}`,
      'Connection: close',
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
}

import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { Stack } from './stack.js';

const MIB = 1024 * 1024;
const START = '{"type":"start","mimeType":"video/webm"}';

/** Actions of a hostile socket once it is open. */
const MISDEEDS: ((socket: WebSocket) => void)[] = [
  // A `start` without media, which would take a place if it could.
  (socket) => socket.send(START),
  // A first message without an end.
  (socket) => socket.send(Buffer.alloc(4 * MIB - 64), { fin: false }),
  // The beginning of media without an end.
  (socket) => {
    socket.send(START);
    socket.once('message', () => socket.send(Buffer.alloc(2 * MIB), { fin: false }));
  },
  () => {},
];

/** An attacker at one address. */
export class HostileClient {
  private readonly sockets: WebSocket[] = [];
  private readonly connections: Socket[] = [];

  /** @param address in the loopback network, which counts as an address of its own */
  constructor(
    private readonly stack: Pick<Stack, 'url' | 'ingestUrl'>,
    private readonly address = '127.0.0.1',
  ) {}

  /** Opens `each` sockets of each kind; resolves when all are open or refused, and have acted. */
  async openSockets(each: number): Promise<void> {
    const { address: localAddress, stack } = this;
    const sockets = MISDEEDS.flatMap((misbehave) =>
      Array.from({ length: each }, () => {
        const socket = new WebSocket(stack.ingestUrl, { localAddress });
        socket.on('error', () => {});
        socket.once('open', () => misbehave(socket));
        return socket;
      }),
    );
    this.sockets.push(...sockets);
    this.openHalf();
    await Promise.all(sockets.map((socket) => once(socket, 'open').catch(() => {})));
  }

  /** Status of the answer to a wrong token. */
  async guessToken(): Promise<number> {
    return this.get('/api/sessions', { authorization: 'Bearer a-wrong-token' });
  }

  /** Status of the answer to a request; 0 if the connection is cut. */
  async get(path: string, headers: Record<string, string> = {}): Promise<number> {
    const { hostname, port } = new URL(this.stack.url);
    const { address: localAddress } = this;
    const asked = request({ hostname, port, path, headers, localAddress, family: 4 }).end();
    return new Promise((resolve) => {
      asked.once('error', () => resolve(0));
      asked.once('response', (response) => {
        response.resume();
        response.once('close', () => resolve(response.statusCode ?? 0));
      });
    });
  }

  /** Closes all that it opened. */
  leave(): void {
    for (const socket of this.sockets.splice(0)) socket.terminate();
    for (const connection of this.connections.splice(0)) connection.destroy();
  }

  /** An upgrade that never gets further than half of its headers. */
  private openHalf(): void {
    const port = Number(new URL(this.stack.url).port);
    const slow = connect({ port, host: '127.0.0.1', localAddress: this.address });
    slow.on('error', () => {});
    slow.write('GET /ingest HTTP/1.1\r\nHost: localhost\r\nUpgr');
    this.connections.push(slow);
  }
}

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { IngestSocket } from './ingest-socket.js';

test('a client that does not read is cut off before much has piled up for it', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', WebSocket: IngestSocket });
  await once(server, 'listening');
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [socket] = (await once(server, 'connection')) as [IngestSocket];
  await once(client, 'open');
  client.pause();
  const message = 'x'.repeat(100_000);
  let most = 0;
  while (socket.readyState === WebSocket.OPEN) {
    socket.sendMessage({ type: 'error', code: 'internal', message });
    most = Math.max(most, socket.bufferedAmount);
    await new Promise(setImmediate);
  }
  expect(most).toBeGreaterThan(1_000_000);
  expect(most).toBeLessThan(1_300_000);
  client.terminate();
  server.close();
});

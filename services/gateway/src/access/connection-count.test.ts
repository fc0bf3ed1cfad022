import { expect, test } from 'vitest';
import { ConnectionCount } from './connection-count.js';

test('each client may have so many connections, and as many again when they have gone', () => {
  const connections = new ConnectionCount(2);
  const leave = connections.enter('a');
  expect(connections.enter('a')).toBeDefined();
  expect(connections.enter('a')).toBeUndefined();
  expect(connections.enter('b')).toBeDefined();
  leave?.();
  leave?.();
  expect(connections.enter('a')).toBeDefined();
  expect(connections.enter('a')).toBeUndefined();
});

test('of clients that have gone, nothing is kept', () => {
  const connections = new ConnectionCount(2);
  for (let n = 0; n < 1000; n++) connections.enter(`client ${n}`)?.();
  expect(connections.clients).toBe(0);
});
